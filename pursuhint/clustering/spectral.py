"""Spectral clustering: k-means on the slowest motions of a walk from layer to like layer."""

from __future__ import annotations

import numpy as np

from pursuhint.clustering.result import Partition, medoids

STARTS = 3
"""Starts of the inner k-means: 10, scikit-learn's habit, double the time for 0.001 of silhouette."""

FAINTEST = 1e-9
"""Least weight of an edge: the spectrum of a graph that falls apart does not say which layers go together."""


def spectral(distance: np.ndarray, clusters: int, seed: int = 0) -> Partition:
    """Cluster layers by scikit-learn's spectral clustering, each cluster centred on its medoid.

    Args:
        distance: (L, L); the weights of the graph are the similarities, 1 - distance, none below 0.
        clusters: K, 1..L.
        seed: of the inner k-means; the same one gives the same partition.

    Returns:
        The partition.

    Source:
        Shi, Malik, "Normalized cuts and image segmentation", 2000, by way of scikit-learn.
    """
    depth = len(distance)
    if clusters in (1, depth):  # nothing to choose, and no K-th of L motions is slower than the rest
        labels = np.arange(depth) if clusters == depth else np.zeros(depth, dtype=int)
        return Partition(labels, medoids(distance, labels))
    from sklearn.cluster import spectral_clustering  # takes two seconds, and only this method needs it

    similarity = np.clip(1.0 - distance, FAINTEST, None)
    labels = spectral_clustering(similarity, n_clusters=clusters, n_init=STARTS, random_state=seed)
    labels = np.unique(labels, return_inverse=True)[1]  # k-means leaves clusters of identical layers empty
    return Partition(labels, medoids(distance, labels))
