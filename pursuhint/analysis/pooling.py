"""Poolings: how a layer's output for one image becomes one row of features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import Tensor
from torch.nn import functional

from pursuhint.errors import InputError, find_named


@dataclass(frozen=True)
class Pooling:
    """A way to turn an output into rows.

    Attributes:
        name: the key in ``POOLINGS``.
        reduce: (output with at least 3 axes, number of tokens in front that stand for no place) -> (n, C).
        tokens_only: whether it means nothing for the maps of a convolution.
    """

    name: str
    reduce: Callable[[Tensor, int], Tensor]
    tokens_only: bool = False

    def rows(self, output: Tensor, *, layer: str, prefix: int = 0) -> Tensor:
        """Pool one layer's output.

        Args:
            output: maps (n, channels, height, width), tokens (n, tokens, width) or rows (n, width), which
                stay as they are.
            layer: its name, for messages.
            prefix: tokens in front that stand for no place in the image, such as the class token.

        Returns:
            float32, shape (n, C).

        Raises:
            InputError: a pooling of tokens is asked for and the layer has none, or has no class token.
        """
        if self.tokens_only and (output.ndim != 3 or (self.name == "cls" and prefix == 0)):
            wanted = "a class token" if self.name == "cls" else "tokens"
            raise InputError(
                f"pooling `{self.name}` needs {wanted}: layer `{layer}` puts out the shape "
                f"{tuple(output.shape[1:])} for one image; take `mean` or another pooling"
            )
        if output.ndim == 2:
            return output.float()
        return self.reduce(output.float(), prefix)


def _mean(output: Tensor, prefix: int) -> Tensor:
    return output.mean(dim=tuple(range(2, output.ndim)) if output.ndim >= 4 else 1)


def _grid(side: int, output: Tensor, prefix: int) -> Tensor:
    if output.ndim == 3:
        output = as_map(output[:, prefix:])
    if output.ndim != 4:
        return output.flatten(1)
    height, width = (min(side, size) for size in output.shape[2:])
    return functional.adaptive_avg_pool2d(output, (height, width)).flatten(1)


def as_map(tokens: Tensor) -> Tensor:
    """Lay a square number of tokens out as a map, (n, width, side, side); other numbers as one row."""
    side = round(tokens.shape[1] ** 0.5)
    shape = (side, side) if side * side == tokens.shape[1] else (1, tokens.shape[1])
    return tokens.transpose(1, 2).unflatten(2, shape)


def _flat(output: Tensor, prefix: int) -> Tensor:
    # The order of features does not matter to a Gram matrix; this one needs no copy of channels-last maps.
    return output.permute(0, *range(2, output.ndim), 1).flatten(1) if output.ndim >= 4 else output.flatten(1)


POOLINGS: dict[str, Pooling] = {
    pooling.name: pooling
    for pooling in (
        Pooling("mean", _mean),
        Pooling("grid2", partial(_grid, 2)),
        Pooling("grid4", partial(_grid, 4)),
        Pooling("flatten", _flat),
        Pooling("token_mean", lambda output, prefix: output[:, prefix:].mean(dim=1), tokens_only=True),
        Pooling("cls", lambda output, prefix: output[:, 0], tokens_only=True),
    )
}
"""``mean`` over all positions (the paper), the means of a 2 x 2 or 4 x 4 grid, everything (``flatten``), the
mean of the tokens that stand for a place, or the class token. A map smaller than the grid stays whole."""


def pooling_named(name: str) -> Pooling:
    """Return a pooling; raise InputError for an unknown one."""
    return find_named("pooling", name, POOLINGS)
