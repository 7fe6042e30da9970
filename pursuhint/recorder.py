"""Reading a network's inner outputs: forward hooks that see the true value and are always taken away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from pursuhint.errors import InputError, PursuhintError, unknown
from pursuhint.layout import in_layout


def call_name(path: str, call: int) -> str:
    """Name one call of a module: the path for the first, ``path#2`` for the second, and so on.

    Example:
        >>> call_name("relu", 1), call_name("relu", 2)
        ('relu', 'relu#2')
    """
    return path if call == 1 else f"{path}#{call}"


def module_path(layer: str) -> str:
    """Return the module's path without its call number.

    Example:
        >>> module_path("layer1.0.relu#2")
        'layer1.0.relu'
    """
    return layer.partition("#")[0]


def first_tensor(output: Any) -> Tensor | None:
    """Return the tensor that stands for an output: itself, or the first one in a tuple, list or dict."""
    if isinstance(output, Tensor):
        return output
    items = (
        output.values() if isinstance(output, dict) else output if isinstance(output, tuple | list) else ()
    )
    return next((item for item in items if isinstance(item, Tensor)), None)


class ActivationRecorder:
    """Record what named layers put out while the model runs.

    Each output is transformed inside the hook, at once: a module that works in place (``ReLU(inplace=True)``)
    overwrites its input later, so a reference kept until the end of the forward pass would hold a wrong
    value.

    Args:
        model: the network; it is run by the caller, as often as wanted.
        layers: dotted module paths, with a call number (``relu#2``) for a later call of the same module.
        transform: (output in the layout of `pursuhint.layout`, layer name) -> what is kept of it, such as a
            pooling; a copy by default. Gradients flow through it.

    Attributes:
        outputs: layer name -> what was kept in the latest forward pass, in the order of the calls.

    Raises:
        InputError: a path names no module.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(inplace=True))
        >>> with ActivationRecorder(model, ["0"]) as recorder:
        ...     _ = model(torch.tensor([[1.0, -1.0]]))
        >>> recorder.outputs["0"].shape
        torch.Size([1, 3])
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Iterable[str],
        *,
        transform: Callable[[Tensor, str], Any] = lambda output, _layer: output.clone(),
    ) -> None:
        self.outputs: dict[str, Any] = {}
        self._model = model
        self._layers = tuple(layers)
        self._transform = transform
        self._calls: Counter[str] = Counter()
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        modules = dict(model.named_modules())
        for layer in self._layers:
            if module_path(layer) not in modules or not module_path(layer):
                raise unknown("layer", layer, [name for name in modules if name])

    def __enter__(self) -> ActivationRecorder:
        modules = dict(self._model.named_modules())
        self._handles.append(self._model.register_forward_pre_hook(self._start))
        for path in dict.fromkeys(module_path(layer) for layer in self._layers):
            self._handles.append(modules[path].register_forward_hook(self._hook(path)))
        return self

    def __exit__(self, *_: object) -> None:
        while self._handles:
            self._handles.pop().remove()

    def missing(self) -> list[str]:
        """Return the layers that the latest forward pass never called."""
        return [layer for layer in self._layers if layer not in self.outputs]

    def _start(self, *_: object) -> None:
        self._calls.clear()
        self.outputs.clear()

    def _hook(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        wanted = frozenset(layer for layer in self._layers if module_path(layer) == path)

        def keep(module: nn.Module, _inputs: Any, output: Any) -> None:
            self._calls[path] += 1
            name = call_name(path, self._calls[path])
            if name not in wanted:
                return
            tensor = first_tensor(output)
            if tensor is None:
                raise PursuhintError(f"layer `{name}` put out {type(output).__name__}, which holds no tensor")
            self.outputs[name] = self._transform(in_layout(tensor, module, self._model), name)

        return keep


def require_called(recorder: ActivationRecorder) -> None:
    """Raise InputError when a recorded layer was not called in the latest forward pass."""
    if missing := recorder.missing():
        raise InputError(
            f"layer `{missing[0]}` was never called in the forward pass ({len(missing)} such); choose "
            "called layers"
        )
