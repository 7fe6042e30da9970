"""The dendrogram and the clusters that cutting it gives."""

from __future__ import annotations

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from pursuhint.clustering.result import Partition, medoids
from pursuhint.similarity.matrix import SimilarityMatrix


def linkage(similarity: SimilarityMatrix) -> np.ndarray:
    """Return the average-linkage tree of the layers.

    Args:
        similarity: L layers.

    Returns:
        (L - 1, 4) in scipy's form, see `scipy.cluster.hierarchy.linkage`.

    Example:
        >>> values = np.array([[1.0, 0.9, 0.2], [0.9, 1.0, 0.4], [0.2, 0.4, 1.0]])
        >>> similarity = SimilarityMatrix(values, ("a", "b", "c"), "cka_linear", "mean", 100, {}, {})
        >>> linkage(similarity).round(2).tolist()
        [[0.0, 1.0, 0.1, 2.0], [2.0, 3.0, 0.7, 3.0]]
    """
    return _average_linkage(similarity.distance())


def agglomerative(distance: np.ndarray, clusters: int, seed: int = 0) -> Partition:
    """Cut the average-linkage tree into exactly K clusters, centred on their medoids.

    Args:
        distance: (L, L).
        clusters: K, 1..L.
        seed: not used, the cut is deterministic.

    Returns:
        The partition: the first L - K merges of the tree, also where several are equally high.
    """
    labels = hierarchy.cut_tree(_average_linkage(distance), n_clusters=clusters).ravel()
    return Partition(labels, medoids(distance, labels))


def _average_linkage(distance: np.ndarray) -> np.ndarray:
    return hierarchy.linkage(squareform(distance, checks=False), "average")
