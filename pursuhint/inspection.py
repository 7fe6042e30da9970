"""All that is known of each layer as a hint point: what it is, what it is like, what choosing it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pursuhint.coverage import swap_changes
from pursuhint.errors import unknown
from pursuhint.layers import Layer
from pursuhint.similarity import SimilarityMatrix
from pursuhint.stages import shape_in_words

Likeness = tuple[str, float]
"""Another layer, and the similarity to it."""

SHOWN = 2
"""Layers that are named as the most and as the least alike."""


@dataclass(frozen=True)
class Swap:
    """One layer in the place of another.

    Attributes:
        hint: the hint point that gives way.
        layer: the one that takes its place.
        change: of the coverage; negative where it costs.
    """

    hint: str
    layer: str
    change: float


@dataclass(frozen=True)
class LayerFacts:
    """What is known of one layer.

    Attributes:
        name: of the layer.
        type: class name of the module; empty where the layer was not described.
        shape: of its output in words; empty where the layer was not described.
        parameters: of the module; None where the layer was not described.
        cluster_size: number of layers of its cluster, itself included.
        cluster_similarity: mean similarity to the others of its cluster; None where it is alone.
        most_like, least_like: the layers of largest and of smallest similarity, the extreme one first.
        chosen: share of the resamples in which it is a hint point; None where it was not measured.
        swap: for a hint point the best other layer of its cluster in its place; for any other layer itself in
            the place of the hint point that it is most like, of its own cluster if there is one. None where
            there is nothing to swap.
        width: number of its features.
        rank: directions in which they vary; None where it was not measured.
        images_per_feature: number of images divided by the width.
        note: how far its similarities can be trusted, in one line; empty without reservation.
    """

    name: str
    type: str
    shape: str
    parameters: int | None
    cluster_size: int
    cluster_similarity: float | None
    most_like: tuple[Likeness, ...]
    least_like: tuple[Likeness, ...]
    chosen: float | None
    swap: Swap | None
    width: int | None
    rank: int | None
    images_per_feature: float | None
    note: str


def layer_facts(
    similarity: SimilarityMatrix,
    clusters: Sequence[Sequence[str]],
    hint_points: Sequence[str],
    *,
    described: Sequence[Layer] = (),
    frequency: Mapping[str, float] | None = None,
) -> tuple[LayerFacts, ...]:
    """Gather what is known of each layer.

    Args:
        similarity: L layers.
        clusters: the names of each cluster; together all L.
        hint_points: names of the hint points in force.
        described: the candidate layers.
        frequency: layer -> share of the resamples in which it is a hint point, where that was measured.

    Returns:
        L facts, in depth order.

    Raises:
        InputError: no hint point, or one that is no layer of the matrix.

    Example:
        >>> near = np.exp(-np.abs(np.subtract.outer(range(4), range(4))) / 2.0)
        >>> similarity = SimilarityMatrix(near, tuple("abcd"), "cka_linear", "mean", 100, {}, {})
        >>> first, *_ = layer_facts(similarity, ["ab", "cd"], ["b", "c"])
        >>> first.most_like[0][0], first.swap.hint, round(first.swap.change, 3)
        ('b', 'b', 0.0)
    """
    layers, values = similarity.layers, similarity.values
    for name in hint_points:
        if name not in layers:
            raise unknown("hint point", name, layers)
    index = {name: number for number, name in enumerate(layers)}
    members = {name: [index[other] for other in cluster] for cluster in clusters for name in cluster}
    hints = [index[name] for name in hint_points]
    changes = {hint: swap_changes(values, hints, hint) for hint in hints}
    known = {layer.name: layer for layer in described}

    def facts(layer: int) -> LayerFacts:
        name, note = layers[layer], similarity.notes.get(layers[layer])
        own = [other for other in members[name] if other != layer]
        others = [other for other in np.argsort(-values[layer], kind="stable") if other != layer]
        swap = _swap(layer, own, hints, values, changes)
        about = known.get(name)
        return LayerFacts(
            name=name,
            type=about.type if about else "",
            shape=shape_in_words(about.shape) if about else "",
            parameters=about.parameters if about else None,
            cluster_size=len(own) + 1,
            cluster_similarity=float(values[layer, own].mean()) if own else None,
            most_like=tuple((layers[other], float(values[layer, other])) for other in others[:SHOWN]),
            least_like=tuple((layers[other], float(values[layer, other])) for other in others[::-1][:SHOWN]),
            chosen=frequency.get(name, 0.0) if frequency is not None else None,
            swap=Swap(layers[swap[0]], layers[swap[1]], float(changes[swap[0]][swap[1]])) if swap else None,
            width=note.width if note else None,
            rank=note.effective_rank if note else None,
            images_per_feature=note.samples_per_feature if note else None,
            note="" if note is None or note.status == "ok" else note.text,
        )

    return tuple(facts(layer) for layer in range(len(layers)))


def _swap(
    layer: int,
    own: Sequence[int],
    hints: Sequence[int],
    values: np.ndarray,
    changes: Mapping[int, np.ndarray],
) -> tuple[int, int] | None:
    """Return the hint point that would give way and the layer that would take its place."""
    if layer in hints:
        free = [other for other in own if other not in hints]
        return (layer, max(free, key=lambda other: changes[layer][other])) if free else None
    near = [hint for hint in hints if hint in own] or hints
    return max(near, key=lambda hint: values[layer, hint]), layer
