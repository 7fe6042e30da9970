"""A faster copy of a network for inference: batch norms folded into the convolutions before them."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pursuhint.recorder import ActivationRecorder, module_path

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
TOLERANCE = 1e-3
"""Largest relative change of any recorded output; folding in float32 changes about 1e-6."""


def fast_copy(model: nn.Module, images: Tensor, layers: Sequence[str]) -> nn.Module:
    """Return a copy of a network that computes the same, faster.

    A batch norm in eval mode is a scale and a shift of each channel, so it goes into the convolution before
    it: one pass less over every feature map. Which convolution that is, the tensors themselves say while the
    network runs. Afterwards the outputs are compared; should they differ, the network is returned as it was.

    Args:
        model: in eval mode; not changed.
        images: a few prepared images, (n, channels, height, width).
        layers: the layers whose outputs must stay what they are.

    Returns:
        The copy, channels last; `model` itself when nothing can be folded.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
        >>> fast_copy(model, torch.rand(2, 3, 8, 8), ["2"])
        Sequential(
          (0): Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))
          (1): Identity()
          (2): ReLU()
        )
    """
    foldable = norms_after_convolutions(model, images[:2], keep={module_path(layer) for layer in layers})
    if not foldable:
        return model
    faster = copy.deepcopy(model)
    for norm, convolution in foldable.items():
        fused = nn.utils.fuse_conv_bn_eval(faster.get_submodule(convolution), faster.get_submodule(norm))
        faster.set_submodule(convolution, fused)
        faster.set_submodule(norm, nn.Identity())
    faster.to(memory_format=torch.channels_last)
    before, after = (_outputs(network, images, layers) for network in (model, faster))
    same = all(_relative_change(a, b) <= TOLERANCE for a, b in zip(before, after, strict=True))
    return faster if same else model


def norms_after_convolutions(
    model: nn.Module, images: Tensor, *, keep: Collection[str] = ()
) -> dict[str, str]:
    """Find the batch norms that alone read what a convolution put out.

    Args:
        model: in eval mode; run once.
        images: a few prepared images.
        keep: modules that are to be left alone.

    Returns:
        Path of the batch norm -> path of the convolution, without modules that are called twice.
    """
    watch = _Readers()
    with ExitStack() as stack:
        for path, module in model.named_modules():
            if isinstance(module, CONVOLUTIONS):
                stack.callback(module.register_forward_hook(watch.convolution(path)).remove)
            elif isinstance(module, NORMS) and module.track_running_stats:
                stack.callback(module.register_forward_pre_hook(watch.norm_begins(path)).remove)
                stack.callback(module.register_forward_hook(watch.norm_ends).remove)
        stack.enter_context(torch.inference_mode())
        stack.enter_context(watch)
        model(images)
    return {
        norm: convolution
        for norm, convolution in watch.found.items()
        if convolution not in watch.read_elsewhere
        and watch.calls[norm] == watch.calls[convolution] == 1
        and not {norm, convolution} & set(keep)
    }


class _Readers(TorchFunctionMode):
    """Notice who reads the outputs of convolutions while a network runs."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.read_elsewhere: set[str] = set()
        self._made: dict[int, tuple[str, Tensor]] = {}  # with the tensor, or its id would be given away again
        self._in_norm = False

    def __torch_function__(
        self, function: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        if not self._in_norm:
            read = [id(tensor) for tensor in _tensors((args, kwargs or {}))]
            self.read_elsewhere |= {self._made[one][0] for one in read if one in self._made}
        return function(*args, **(kwargs or {}))

    def convolution(self, path: str) -> Callable:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            self.calls[path] += 1
            self._made[id(output)] = path, output

        return hook

    def norm_begins(self, path: str) -> Callable:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            self.calls[path] += 1
            self._in_norm = True
            if id(inputs[0]) in self._made:
                self.found[path] = self._made[id(inputs[0])][0]

        return hook

    def norm_ends(self, *_: object) -> None:
        self._in_norm = False


def _tensors(value: object) -> Iterator[Tensor]:
    """Yield the tensors among the arguments of a call, also in lists such as those of `torch.cat`."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _tensors(one)


def _outputs(model: nn.Module, images: Tensor, layers: Sequence[str]) -> list[Tensor]:
    with torch.inference_mode(), ActivationRecorder(model, layers) as recorder:
        logits = model(images)
    return [*recorder.outputs.values(), logits]


def _relative_change(before: Tensor, after: Tensor) -> float:
    change = (after.float() - before.float()).norm() / before.float().norm().clamp_min(1e-30)
    return float(change) if torch.isfinite(change) else float("inf")
