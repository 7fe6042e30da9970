"""What a drawing of the layers shows, worked out once: figures and the linked drawing only paint it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from pursuhint.clustering import METHODS, PRESETS, Clustering, linkage
from pursuhint.embedding import map_layers
from pursuhint.errors import InputError, unknown
from pursuhint.layers import Layer
from pursuhint.short_names import short_names
from pursuhint.similarity import METRICS, SimilarityMatrix
from pursuhint.stages import StageSpan, stage_spans

Order = Literal["depth", "dendrogram"]

COLOURS = {
    "blue": "#3b6fd4",
    "orange": "#e07b39",
    "green": "#2f9e77",
    "purple": "#774990",
    "orchid": "#bf86bb",
    "crimson": "#ac283c",
    "sand": "#b1b575",
    "slate": "#5a6470",
    "sky": "#1dbdff",
    "brown": "#855101",
}
"""Cluster colours in order of use: any two differ to every kind of colour vision, on white and on dark."""


WHITE_INK, DARK_INK = "#ffffff", "#14161f"
LIGHT_FROM = 0.3
"""Luminance from which words on a colour are dark; white ones stay a little longer, bold as they are."""


@dataclass(frozen=True)
class Branch:
    """One merge of the dendrogram: a bracket from one child up to the merge and down to the other child.

    Attributes:
        at: places of the two children along the leaves; leaf number i of the order is at i.
        heights: distances at which the two children were merged themselves, 0 for a leaf.
        height: distance at which they merge.
        cluster: the cluster that holds all leaves below, or None.
    """

    at: tuple[float, float]
    heights: tuple[float, float]
    height: float
    cluster: int | None


@dataclass(frozen=True, eq=False)
class LayerView:
    """Layers as they are to be drawn. Everything a layer has is in depth order.

    Attributes:
        layers: L names.
        labels: L short names, without what all names begin and end with.
        similarity: (L, L) values.
        metric: title of the metric.
        scale: lowest similarity, rounded down to a tenth and at most 0.9, and 1: the ends of a colour scale.
        floors: (L, L), what unrelated layers score by chance; None where that is about 0.
        left_out: layers that could not be compared, because nothing varies in them.
        method: title of the clustering method.
        order: layer indices in drawing order.
        clusters: L cluster numbers, 0 for the one whose centre comes first in depth.
        colours: a key of ``COLOURS`` for each cluster; they repeat from the eleventh on.
        centres: K layer indices, the automatic hint points.
        hints: layer indices of the hint points in force, in depth order.
        branches: L - 1 merges of the method's tree, from the lowest up; of the average-linkage one where the
            method has none.
        height: what the heights of the tree are, in words.
        cut: height at which the tree falls into the K clusters; None for one cluster, or for clusters that
            are not what a cut through it leaves.
        cuts: heights at which the tree falls into 1, 2, ... L pieces, whatever the clusters are.
        stages: runs of layers of one shape, in depth order; empty where the layers were not described.
        positions: (L, 2) of the layer map.
    """

    layers: tuple[str, ...]
    labels: tuple[str, ...]
    similarity: np.ndarray
    scale: tuple[float, float]
    floors: np.ndarray | None
    left_out: tuple[str, ...]
    metric: str
    method: str
    order: tuple[int, ...]
    clusters: tuple[int, ...]
    colours: tuple[str, ...]
    centres: tuple[int, ...]
    hints: tuple[int, ...]
    branches: tuple[Branch, ...]
    height: str
    cut: float | None
    cuts: tuple[float, ...]
    stages: tuple[StageSpan, ...]
    positions: np.ndarray

    def colour(self, layer: int) -> str:
        """Return the colour of a layer's cluster as ``#rrggbb``."""
        return COLOURS[self.colours[self.clusters[layer]]]

    def cluster_name(self, layer: int) -> str:
        """Return the letter of a layer's cluster: A, B, ...; the cluster's number from the 27th on."""
        number = self.clusters[layer]
        return chr(ord("A") + number) if number < 26 else str(number + 1)

    def standing(self, layer: int) -> str:
        """Say what a layer is: ``HP2 · centre of B``, ``HP2 · cluster B`` or ``cluster B``."""
        role = "centre of" if layer in self.centres and layer in self.hints else "cluster"
        place = f"HP{self.hints.index(layer) + 1} · " if layer in self.hints else ""
        return f"{place}{role} {self.cluster_name(layer)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain lists and numbers, with ``colours`` as ``#rrggbb``: ready for JSON.

        ``letters`` names the cluster of each layer, ``standings`` says what each layer is, ``inks`` are the
        colours of words on the clusters' colours.
        """
        plain = dict(vars(self))  # `asdict` would copy the matrices
        plain["branches"] = [dict(vars(branch)) for branch in self.branches]
        plain["stages"] = [dict(vars(stage)) for stage in self.stages]
        plain["inks"] = [ink(COLOURS[name]) for name in self.colours]
        plain["letters"] = [self.cluster_name(layer) for layer in range(len(self.layers))]
        plain["standings"] = [self.standing(layer) for layer in range(len(self.layers))]
        plain["similarity"] = self.similarity.round(4).tolist()
        plain["floors"] = None if self.floors is None else self.floors.round(4).tolist()
        plain["positions"] = self.positions.round(4).tolist()
        plain["colours"] = [COLOURS[name] for name in self.colours]
        return plain


def layer_view(
    similarity: SimilarityMatrix,
    clustering: Clustering,
    hint_points: Sequence[str] | None = None,
    *,
    order: Order = "dendrogram",
    positions: np.ndarray | None = None,
    described: Sequence[Layer] = (),
) -> LayerView:
    """Work out positions, order and colours.

    Args:
        similarity: L layers.
        clustering: of the same layers.
        hint_points: names of the hint points in force; None: the centres of the clusters.
        order: ``"depth"``, or ``"dendrogram"``: no branches cross, each merge puts its shallower side first.
        positions: (L, 2) of the layer map; None: MDS, which is instant.
        described: the candidate layers, for the stages; those that are not in the matrix do not count.

    Returns:
        The view.

    Raises:
        InputError: unknown order or hint point, a clustering of other layers, or positions of another shape.
    """
    layers = similarity.layers
    if order not in get_args(Order):
        raise unknown("order", order, get_args(Order))
    if clustering.layers != layers:
        raise InputError(
            f"the clustering must be of the matrix's own {len(layers)} layers: found one of "
            f"{len(clustering.layers)} layers; cluster this matrix again"
        )
    positions = map_layers(similarity) if positions is None else np.asarray(positions, dtype=np.float64)
    if positions.shape != (len(layers), 2):
        raise InputError(
            f"`positions` must have the shape ({len(layers)}, 2), found {positions.shape}; "
            "map the layers of this matrix again"
        )
    index = {name: number for number, name in enumerate(layers)}
    hint_points = clustering.centres if hint_points is None else hint_points
    for name in hint_points:
        if name not in index:
            raise unknown("hint point", name, layers)

    named = METHODS | PRESETS
    method = METHODS.get(clustering.method)
    tree = linkage(similarity, clustering.method if clustering.method in named else "agglomerative")
    drawing_order = tuple(range(len(layers))) if order == "depth" else leaf_order(tree)
    clusters = clustering.labels()
    count, cuts = len(clustering.clusters), cut_heights(tree)
    names = list(COLOURS)
    return LayerView(
        layers=layers,
        labels=short_names(layers),
        similarity=similarity.values,
        scale=(min(0.9, float(np.floor(similarity.values.min() * 10)) / 10), 1.0),
        floors=similarity.floors(),
        left_out=tuple(similarity.excluded),
        metric=METRICS[similarity.metric].title,
        method=named[clustering.method].title if clustering.method in named else clustering.method,
        order=drawing_order,
        clusters=clusters,
        colours=tuple(names[number % len(names)] for number in range(count)),
        centres=tuple(index[name] for name in clustering.centres),
        hints=tuple(sorted({index[name] for name in hint_points})),
        branches=branches(tree, drawing_order, clusters),
        height=(method or METHODS["agglomerative"]).height,
        cut=cuts[count - 1] if method and method.cuts_tree and count > 1 else None,
        cuts=cuts,
        stages=stage_spans(layers, described),
        positions=positions,
    )


def ink(colour: str) -> str:
    """Return the colour of words that can be read on a colour, dark or white.

    Source:
        WCAG 2.2, relative luminance: both contrast equally with a luminance of 0.18.

    Example:
        >>> ink("#3b6fd4"), ink("#b1b575")
        ('#ffffff', '#14161f')
    """
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return DARK_INK if luminance > LIGHT_FROM else WHITE_INK


def leaf_order(tree: np.ndarray) -> tuple[int, ...]:
    """Return an order of the leaves without crossing branches; each merge puts its shallower side first.

    Args:
        tree: (L - 1, 4) linkage.

    Returns:
        The L leaf indices.
    """
    depth = len(tree) + 1
    leaves: list[tuple[int, ...]] = [(leaf,) for leaf in range(depth)]
    for first, second, *_ in tree:
        pair = sorted((leaves[int(first)], leaves[int(second)]), key=np.mean)
        leaves.append(pair[0] + pair[1])
    return leaves[-1]


def branches(tree: np.ndarray, order: Sequence[int], clusters: Sequence[int]) -> tuple[Branch, ...]:
    """Lay out a tree over leaves in a given order.

    Args:
        tree: (L - 1, 4) linkage.
        order: the L leaf indices from left to right.
        clusters: L cluster numbers.

    Returns:
        L - 1 brackets, the lowest first.
    """
    place = {leaf: float(position) for position, leaf in enumerate(order)}
    height = dict.fromkeys(place, 0.0)
    cluster: dict[int, int | None] = dict(enumerate(clusters))
    found = []
    for node, (first, second, merged_at, _) in enumerate(tree, start=len(place)):
        left, right = sorted((int(first), int(second)), key=place.get)
        cluster[node] = cluster[left] if cluster[left] == cluster[right] else None
        place[node], height[node] = (place[left] + place[right]) / 2, float(merged_at)
        found.append(
            Branch((place[left], place[right]), (height[left], height[right]), height[node], cluster[node])
        )
    return tuple(found)


def cut_heights(tree: np.ndarray) -> tuple[float, ...]:
    """Return where a tree is cut to fall into 1, 2, ... L pieces: halfway between two merges.

    Args:
        tree: (L - 1, 4) linkage.

    Returns:
        L heights, falling; the first lies above the last merge, the last below the first one.

    Example:
        >>> cut_heights(np.array([[0, 1, 0.2, 2], [2, 3, 1.0, 3]]))
        (1.05, 0.6, 0.1)
    """
    merges = [0.0, *tree[:, 2].tolist()]
    between = [(low + high) / 2 for low, high in zip(merges, merges[1:], strict=False)]
    return (1.05 * merges[-1], *reversed(between))
