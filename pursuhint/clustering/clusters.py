"""From a similarity matrix to named clusters: by a method, or around hint points that are given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pursuhint.clustering.methods import METHODS
from pursuhint.clustering.presets import PRESETS, check_count, check_names
from pursuhint.clustering.result import Clustering, Partition
from pursuhint.clustering.silhouette import silhouette
from pursuhint.clustering.trees import average_tree
from pursuhint.errors import unknown
from pursuhint.similarity.matrix import SimilarityMatrix


def cluster_layers(
    similarity: SimilarityMatrix, clusters: int, *, method: str = "pursuhint", seed: int = 0
) -> Clustering:
    """Group layers by how alike they are.

    Args:
        similarity: L layers.
        clusters: K, 1..L.
        method: key in ``METHODS``.
        seed: for methods that draw (`spectral`); the others are deterministic.

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
    return _named(similarity.layers, distance, METHODS[method].partition(distance, clusters, seed), method)


def preset_clustering(
    similarity: SimilarityMatrix, names: Sequence[str], *, method: str = "manual"
) -> Clustering:
    """Group layers around hint points: every layer joins the one it is most similar to, ties the shallower.

    Args:
        similarity: L layers.
        names: the hint points, in any order.
        method: key in ``PRESETS``: who chose them; kept with the result.

    Returns:
        One cluster a hint point, which is its centre; a hint point always stays in its own cluster.

    Raises:
        InputError: no hint point, one named twice, or one that is no layer of the matrix.

    Example:
        >>> near = np.exp(-np.abs(np.subtract.outer(range(6), range(6))) / 2.0)
        >>> similarity = SimilarityMatrix(near, tuple("abcdef"), "cka_linear", "mean", 100, {}, {})
        >>> preset_clustering(similarity, ["e", "a"]).clusters
        (('a', 'b', 'c'), ('d', 'e', 'f'))
    """
    check_names(names, similarity.layers, similarity.excluded)
    distance = similarity.distance()
    centres = np.array(sorted(similarity.layers.index(name) for name in names))
    labels = distance[:, centres].argmin(axis=1)
    labels[centres] = np.arange(len(centres))
    return _named(similarity.layers, distance, Partition(labels, centres), method)


def linkage(similarity: SimilarityMatrix, method: str = "agglomerative") -> np.ndarray:
    """Return the tree of the layers that goes with a method.

    Args:
        similarity: L layers.
        method: a method or a preset; one without a tree of its own gets the average-linkage tree.

    Returns:
        (L - 1, 4) in scipy's form, see `scipy.cluster.hierarchy.linkage`; heights are distances.

    Raises:
        InputError: unknown method.

    Example:
        >>> values = np.array([[1.0, 0.9, 0.2], [0.9, 1.0, 0.4], [0.2, 0.4, 1.0]])
        >>> similarity = SimilarityMatrix(values, ("a", "b", "c"), "cka_linear", "mean", 100, {}, {})
        >>> linkage(similarity).round(2).tolist()
        [[0.0, 1.0, 0.1, 2.0], [2.0, 3.0, 0.7, 3.0]]
    """
    if method not in METHODS | PRESETS:
        raise unknown("clustering method", method, METHODS | PRESETS)
    tree = METHODS[method].tree if method in METHODS else average_tree
    return tree(similarity.distance())


def _named(layers: tuple[str, ...], distance: np.ndarray, partition: Partition, method: str) -> Clustering:
    """Put names in the place of indices, clusters by the depth of their centres."""
    by_depth = sorted(set(partition.labels.tolist()), key=lambda cluster: partition.centres[cluster])
    names = np.array(layers, dtype=object)
    return Clustering(
        method=method,
        layers=layers,
        clusters=tuple(tuple(names[partition.labels == cluster]) for cluster in by_depth),
        centres=tuple(names[partition.centres[cluster]] for cluster in by_depth),
        cycled=partition.cycled,
        silhouette=silhouette(distance, partition.labels),
    )
