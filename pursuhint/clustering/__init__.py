"""Groups of alike layers, and the layer that stands for each: the automatic hint points (arrays only)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pursuhint.clustering.agglomerative import agglomerative, linkage
from pursuhint.clustering.depth_means import depth_means
from pursuhint.clustering.k_medoids import k_medoids
from pursuhint.clustering.presets import check_count, random_layers, uniform
from pursuhint.clustering.result import Clustering, Partition
from pursuhint.errors import unknown
from pursuhint.similarity.matrix import SimilarityMatrix

__all__ = [
    "METHODS",
    "Clustering",
    "Method",
    "cluster_layers",
    "linkage",
    "random_layers",
    "silhouette_curve",
    "uniform",
]


@dataclass(frozen=True)
class Method:
    """A way to group layers.

    Attributes:
        name: the key in ``METHODS``.
        title: the name for people.
        centre: what stands for a cluster.
        partition: (L, L) distances, number of clusters, seed -> the partition.
        note: what it does, in one line.
    """

    name: str
    title: str
    centre: Literal["middle of depth", "medoid"]
    partition: Callable[[np.ndarray, int, int], Partition]
    note: str


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "pursuhint",
            "PURSUhInT",
            "middle of depth",
            depth_means,
            "The published rule: k-means over layers, each cluster centred on the middle of its depth.",
        ),
        Method(
            "agglomerative",
            "Dendrogram",
            "medoid",
            agglomerative,
            "Cuts the average-linkage tree; a centre is the member most like the rest of its cluster.",
        ),
        Method(
            "kmedoids",
            "k-medoids",
            "medoid",
            k_medoids,
            "Finds the layers to which all layers are most alike in total (FasterPAM).",
        ),
    )
}


def cluster_layers(
    similarity: SimilarityMatrix, clusters: int, *, method: str = "pursuhint", seed: int = 0
) -> Clustering:
    """Group layers by how alike they are.

    Args:
        similarity: L layers.
        clusters: K, 1..L.
        method: key in ``METHODS``.
        seed: for methods that draw; the present ones are deterministic.

    Returns:
        K clusters with their centres; fewer where layers at distance 0 leave a cluster empty.

    Raises:
        InputError: unknown method, or K outside 1..L.

    Example:
        >>> near = np.exp(-np.abs(np.subtract.outer(range(6), range(6))) / 2.0)
        >>> similarity = SimilarityMatrix(near, tuple("abcdef"), "cka_linear", "mean", 100, {}, {})
        >>> found = cluster_layers(similarity, 2)
        >>> found.clusters, found.centres
        ((('a', 'b', 'c'), ('d', 'e', 'f')), ('b', 'e'))
    """
    if method not in METHODS:
        raise unknown("clustering method", method, METHODS)
    check_count(clusters, len(similarity.layers))
    distance = similarity.distance()
    partition = METHODS[method].partition(distance, clusters, seed)
    by_depth = sorted(set(partition.labels.tolist()), key=lambda cluster: partition.centres[cluster])
    layers = np.array(similarity.layers, dtype=object)
    return Clustering(
        method=method,
        layers=similarity.layers,
        clusters=tuple(tuple(layers[partition.labels == cluster]) for cluster in by_depth),
        centres=tuple(layers[partition.centres[cluster]] for cluster in by_depth),
        cycled=partition.cycled,
        silhouette=_silhouette(distance, partition.labels),
    )


def silhouette_curve(
    similarity: SimilarityMatrix, *, method: str = "pursuhint", most: int = 8
) -> dict[int, float]:
    """Return the mean silhouette for each number of clusters, the higher the better separated.

    Args:
        similarity: L layers.
        method: key in ``METHODS``.
        most: the largest number of clusters to try.

    Returns:
        K -> silhouette in [-1, 1] for K = 2..min(most, L - 1), without those K of which layers at distance 0
        leave but one cluster.

    Raises:
        InputError: unknown method.
    """
    if method not in METHODS:
        raise unknown("clustering method", method, METHODS)
    largest = min(most, len(similarity.layers) - 1)
    curve = {k: cluster_layers(similarity, k, method=method).silhouette for k in range(2, largest + 1)}
    return {k: silhouette for k, silhouette in curve.items() if silhouette is not None}


def _silhouette(distance: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the mean silhouette; None where it is not defined: one cluster, or nothing but singletons."""
    from sklearn.metrics import silhouette_score  # takes a second

    if not 1 < len(np.unique(labels)) < len(labels):
        return None
    return float(silhouette_score(distance, labels, metric="precomputed"))
