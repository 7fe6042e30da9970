"""Trees of layers, and the clusters that cutting one of them gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist, squareform

from pursuhint.clustering.result import Partition, medoids
from pursuhint.embedding import classical_mds

Tree = Callable[[np.ndarray], np.ndarray]
"""(L, L) distances -> (L - 1, 4) linkage in scipy's form, see `scipy.cluster.hierarchy.linkage`."""


def average_tree(distance: np.ndarray) -> np.ndarray:
    """Join the two groups whose layers are nearest on average; heights are these distances."""
    return hierarchy.linkage(squareform(distance, checks=False), "average")


def complete_tree(distance: np.ndarray) -> np.ndarray:
    """Join the two groups whose farthest layers are nearest; heights are these distances."""
    return hierarchy.linkage(squareform(distance, checks=False), "complete")


def ward_tree(distance: np.ndarray) -> np.ndarray:
    """Join the two groups whose union spreads least.

    Ward's spread needs points, so the layers are first placed by classical scaling. Distances of layers are
    seldom Euclidean: the coordinates of negative eigenvalues are dropped, and the heights are distances
    within the embedding, in which distant groups stand higher than in the other trees.

    Args:
        distance: (L, L).

    Returns:
        (L - 1, 4) linkage.

    Source:
        Ward, "Hierarchical grouping to optimize an objective function", 1963, in scipy's scaling: two single
        layers join at their distance.
    """
    return hierarchy.linkage(pdist(classical_mds(distance, len(distance))), "ward")


def cut(tree: Tree) -> Callable[[np.ndarray, int, int], Partition]:
    """Return the method that cuts a tree into exactly K clusters, centred on their medoids.

    Args:
        tree: builds the linkage.

    Returns:
        (L, L) distances, K, seed -> the partition: the first L - K merges of the tree, also where several are
        equally high. The seed is not used, the cut is deterministic.
    """

    def partition(distance: np.ndarray, clusters: int, seed: int = 0) -> Partition:
        labels = hierarchy.cut_tree(tree(distance), n_clusters=clusters).ravel()
        return Partition(labels, medoids(distance, labels))

    return partition
