"""Candidate layers: which outputs of a network are offered as hint points, and what they look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pursuhint.errors import InputError

if TYPE_CHECKING:
    from torch import nn

CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


@dataclass(frozen=True)
class Layer:
    """One call of one module.

    Attributes:
        name: dotted path, with a call number for a module's later calls (``relu#2``).
        type: class name of the module.
        shape: output of one image, such as (channels, height, width) or (tokens, width), in the layout of
            `pursuhint.layout`.
        parameters: of the module with all its children.
        stage: index of the run of consecutive candidates that share one shape, from 0.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int
    stage: int

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self) | {"shape": list(self.shape)}

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> Layer:
        """Build a layer from `as_dict`'s result."""
        return Layer(**(fields | {"shape": tuple(fields["shape"])}))


def stage_ends(layers: Sequence[Layer]) -> list[str]:
    """Return the last layer of every stage, in depth order.

    Example:
        >>> layers = [Layer(f"b{i}", "Block", (8 * (1 + i // 2), 4, 4), 0, i // 2) for i in range(4)]
        >>> stage_ends(layers)
        ['b1', 'b3']
    """
    last = {layer.stage: layer.name for layer in layers}
    return [last[stage] for stage in sorted(last)]


def candidate_layers(
    model: nn.Module,
    image_shape: tuple[int, int, int],
    *,
    depth: int = 0,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[Layer]:
    """List the layers that are offered for clustering, in the order in which the network calls them.

    By default these are the sub-blocks: the composite items of the network's sequences (residual blocks,
    transformer blocks, ...); in a plain sequence, the last module before each downsampling (VGG's convolution
    stages); where there is neither, the composite children of the network.

    Args:
        model: the network; run once on one random image, in eval mode, without gradients.
        image_shape: channels, height, width of its input.
        depth: 0 for the sub-blocks; n adds the modules up to n levels below each of them.
        include: shell patterns of further module names to offer (``layer1.*.conv1``).
        exclude: shell patterns of names to leave out; stronger than `include`.

    Returns:
        The candidates in depth order.

    Raises:
        InputError: fewer than one candidate is left, or the network refuses the image.
    """
    chosen = set(_sub_blocks(model))
    for name, module in model.named_modules():
        below = any(
            name.startswith(f"{block}.") and name.count(".") - block.count(".") <= depth for block in chosen
        )
        if (depth and below and not _is_container(module)) or _matches(name, include):
            chosen.add(name)
    called = _probe(model, image_shape)
    rows = [row for row in called if row[0].partition("#")[0] in chosen and not _matches(row[0], exclude)]
    if not rows:
        raise InputError(
            "no candidate layer is left: widen `--depth` or `--include`, or narrow `--exclude`; "
            f"the network calls {', '.join(name for name, *_ in called[:6])}, ..."
        )
    layers: list[Layer] = []
    for name, kind, shape, parameters in rows:
        stage = 0 if not layers else layers[-1].stage + (layers[-1].shape != shape)
        layers.append(Layer(name, kind, shape, parameters, stage))
    return layers


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_container(module: nn.Module) -> bool:
    """Say whether a module only holds others in order (subclasses of the containers count)."""
    return any(base.__name__ in CONTAINERS for base in type(module).__mro__)


def _items_are_blocks(container: nn.Module) -> bool:
    items = list(container.children())
    blocks = [item for item in items if not _is_container(item) and any(True for _ in item.children())]
    return len(blocks) * 2 >= len(items) > 0


def _holds_blocks(module: nn.Module) -> bool:
    inner = (child for child in module.modules() if child is not module and _is_container(child))
    return any(_items_are_blocks(child) for child in inner)


def _sub_blocks(model: nn.Module) -> Iterator[str]:
    """Yield the names of the default candidates."""
    blocks = [
        f"{path}.{key}" if path else key
        for path, container in model.named_modules()
        if _is_container(container)
        for key, item in container.named_children()
        if not _is_container(item) and any(True for _ in item.children()) and not _holds_blocks(item)
    ]
    outermost = [b for b in blocks if not any(b.startswith(f"{other}.") for other in blocks)]
    if outermost:
        yield from outermost
    elif plain := list(_before_pooling(model)):
        yield from plain
    else:
        children = [(n, m) for n, m in model.named_children() if any(True for _ in m.parameters())]
        yield from (name for name, _ in children)


def _before_pooling(model: nn.Module) -> Iterator[str]:
    """Yield the last module before each pooling layer of a sequence of plain modules."""
    for path, container in model.named_modules():
        previous = None
        for key, item in container.named_children() if _is_container(container) else ():
            if "Pool" in type(item).__name__ and previous is not None:
                yield f"{path}.{previous}" if path else previous
            previous = key


def _probe(
    model: nn.Module, image_shape: tuple[int, int, int]
) -> list[tuple[str, str, tuple[int, ...], int]]:
    """Run one image and list every call: name, class name, shape for one image, parameters."""
    import torch

    from pursuhint.layout import in_layout
    from pursuhint.recorder import call_name, first_tensor

    calls: dict[str, int] = {}
    rows: list[tuple[str, str, tuple[int, ...], int]] = []
    handles = []

    def note(path: str):
        def hook(module: nn.Module, _inputs: Any, output: Any) -> None:
            tensor = first_tensor(output)
            if tensor is None or tensor.ndim < 2:
                return
            calls[path] = calls.get(path, 0) + 1
            parameters = sum(p.numel() for p in module.parameters())
            shape = tuple(in_layout(tensor, module, model).shape[1:])
            rows.append((call_name(path, calls[path]), type(module).__name__, shape, parameters))

        return hook

    was_training = model.training
    parameter = next(model.parameters())
    image = torch.zeros(1, *image_shape, dtype=parameter.dtype, device=parameter.device)
    try:
        handles = [module.register_forward_hook(note(name)) for name, module in model.named_modules() if name]
        model.eval()
        with torch.no_grad():
            model(image)
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"the network refuses images of shape {image_shape}: {reason}; choose a preprocessing with "
            "its input size"
        ) from error
    finally:
        for handle in handles:
            handle.remove()
        model.train(was_training)
    return rows
