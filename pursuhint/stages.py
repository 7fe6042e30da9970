"""Stages of a network in words: runs of neighbouring layers whose outputs have one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pursuhint.layers import Layer


@dataclass(frozen=True)
class StageSpan:
    """One stage along the depth of a network.

    Attributes:
        first: index of its first layer.
        count: number of its layers.
        shape: what their outputs are, in words.
    """

    first: int
    count: int
    shape: str


def stage_spans(layers: Sequence[str], described: Sequence[Layer]) -> tuple[StageSpan, ...]:
    """Return the stages of layers that were compared.

    Args:
        layers: names in depth order.
        described: what these layers and perhaps others are, in depth order.

    Returns:
        The stages in depth order; none unless every layer is described.

    Example:
        >>> known = [Layer(f"b{i}", "Block", (16 << i // 2, 8, 8), 0, i // 2) for i in range(3)]
        >>> stage_spans(["b0", "b1", "b2"], known)
        (StageSpan(first=0, count=2, shape='16 ch · 8×8'), StageSpan(first=2, count=1, shape='32 ch · 8×8'))
    """
    known = {layer.name: layer for layer in described}
    if not all(name in known for name in layers):
        return ()
    spans: list[StageSpan] = []
    for _, run in groupby(layers, key=lambda name: known[name].stage):
        names = list(run)
        first = spans[-1].first + spans[-1].count if spans else 0
        spans.append(StageSpan(first, len(names), shape_in_words(known[names[0]].shape)))
    return tuple(spans)


def shape_in_words(shape: Sequence[int]) -> str:
    """Write what a layer puts out for one image.

    Example:
        >>> [shape_in_words(shape) for shape in ((64, 8, 8), (197, 192), (512,))]
        ['64 ch · 8×8', '197 tokens × 192', '512 features']
    """
    if len(shape) == 3:
        channels, height, width = shape
        return f"{channels} ch · {height}×{width}"
    if len(shape) == 2:
        return f"{shape[0]} tokens × {shape[1]}"
    return f"{shape[0]} features" if len(shape) == 1 else "×".join(map(str, shape))
