"""How many clusters: the silhouette over K, and the K that it suggests."""

from __future__ import annotations

from collections.abc import Mapping

from pursuhint.clustering.clusters import cluster_layers
from pursuhint.clustering.methods import METHODS
from pursuhint.errors import InputError, unknown
from pursuhint.similarity.matrix import SimilarityMatrix


def silhouette_curve(
    similarity: SimilarityMatrix, *, method: str = "pursuhint", most: int = 8, seed: int = 0
) -> dict[int, float]:
    """Return the mean silhouette for each number of clusters, the higher the better separated.

    Args:
        similarity: L layers.
        method: key in ``METHODS``.
        most: the largest number of clusters to try.
        seed: for methods that draw.

    Returns:
        K -> silhouette in [-1, 1] for K = 2..min(most, L - 1), without those K of which layers at distance 0
        leave but one cluster.

    Raises:
        InputError: unknown method.
    """
    if method not in METHODS:
        raise unknown("clustering method", method, METHODS)
    largest = min(most, len(similarity.layers) - 1)
    curve = {
        k: cluster_layers(similarity, k, method=method, seed=seed).silhouette for k in range(2, largest + 1)
    }
    return {k: silhouette for k, silhouette in curve.items() if silhouette is not None}


def suggested_clusters(curve: Mapping[int, float]) -> int:
    """Return the number of clusters of largest silhouette; of equals, the smallest.

    Args:
        curve: K -> mean silhouette, as `silhouette_curve` returns it.

    Returns:
        K.

    Raises:
        InputError: the curve is empty.

    Example:
        >>> suggested_clusters({2: 0.4, 3: 0.6, 4: 0.6})
        3
    """
    if not curve:
        raise InputError(
            "a number of clusters can be suggested only where a silhouette is defined, for at least 3 layers "
            "that differ: found none; choose K yourself, or offer more layers"
        )
    return max(sorted(curve), key=curve.__getitem__)
