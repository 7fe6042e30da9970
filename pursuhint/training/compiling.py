"""Compiled networks: block by block, so that hooks, names and copies of a network stay what they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from pursuhint.device import is_out_of_memory
from pursuhint.layers import candidate_layers
from pursuhint.recorder import module_path

BACKEND = "inductor"
VARIANTS = 64
"""Forms of one block's code that are compiled; stages and networks may share it, and torch stops at 8."""


class CompiledBlocks(AbstractContextManager):
    """Blocks of a network whose forward passes are compiled while this is entered.

    What is compiled is the inside of a block: hooks on it are called around, and the network has the same
    parameters under the same names. Outside of the ``with`` block it is as it was, so copies are, too.

    Args:
        model: the network.
        blocks: paths of modules; none lies in another.
    """

    def __init__(self, model: nn.Module, blocks: Sequence[str]) -> None:
        torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, VARIANTS)
        modules = [model.get_submodule(path) for path in blocks]
        self._forwards = [(module, torch.compile(module.forward, backend=BACKEND)) for module in modules]

    def __enter__(self) -> CompiledBlocks:
        for module, forward in self._forwards:
            module.forward = forward
        return self

    def __exit__(self, *_: object) -> None:
        for module, _forward in self._forwards:
            del module.forward


class Compiler:
    """What compiles the networks of a run, until it fails for the first time.

    Args:
        warn: is told once when nothing can be compiled here.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn, self._works = warn, True

    def compile(
        self,
        model: nn.Module,
        image_shape: tuple[int, ...],
        recorded: Sequence[str],
        trial: Callable[[CompiledBlocks], Any],
    ) -> AbstractContextManager:
        """Compile the blocks of a network.

        Args:
            model: the network.
            image_shape: channels, height, width.
            recorded: layers that are listened to; a block around one is left alone.
            trial: runs the compiled network once, as it will be run: compilers are called as late as that.

        Returns:
            What is to be entered around every run of the network; it does nothing when compiling failed.
        """
        if not self._works:
            return nullcontext()
        compiled = CompiledBlocks(model, blocks_to_compile(model, image_shape, recorded))
        try:
            trial(compiled)
        except (RuntimeError, OSError, ImportError) as error:  # of the compiler, the linker, a missing Triton
            if is_out_of_memory(error):
                raise
            self._works = False
            self._warn(
                "the networks run as they are, uncompiled, because torch.compile failed here: "
                f"{_reason(error)}; install a C++ compiler (Triton for a GPU) or leave `--compile` out"
            )
            return nullcontext()
        return compiled


def blocks_to_compile(model: nn.Module, image_shape: tuple[int, ...], recorded: Sequence[str]) -> list[str]:
    """Return the paths of a network's blocks, without those inside of which a layer is recorded.

    Example:
        >>> from pursuhint.zoo import build_zoo
        >>> blocks_to_compile(build_zoo("resnet8", classes=10), (3, 8, 8), ["layer1.0", "layer2.0.conv1"])
        ['layer1.0', 'layer3.0']
    """
    blocks = dict.fromkeys(module_path(layer.name) for layer in candidate_layers(model, image_shape))
    paths = [module_path(layer) for layer in recorded]
    return [block for block in blocks if not any(path.startswith(f"{block}.") for path in paths)]


def _reason(error: BaseException) -> str:
    """Return the first line of what the compiler itself said, without torch's frame around it."""
    said = getattr(error, "inner_exception", error)
    return next((line.strip() for line in str(said).splitlines() if line.strip()), type(said).__name__)
