"""k-medoids: the K layers with the least total distance of all layers to them."""

from __future__ import annotations

import numpy as np

from pursuhint.clustering.result import Partition


def k_medoids(distance: np.ndarray, clusters: int, seed: int = 0) -> Partition:
    """Cluster layers by FasterPAM from the greedy start (BUILD).

    Args:
        distance: (L, L).
        clusters: K, 1..L.
        seed: not used: BUILD is deterministic, and swaps are tried in the order of depth.

    Returns:
        The partition; each layer belongs to the nearest medoid, ties to the lower index. Fewer than K
        clusters where no further medoid brings any layer nearer.

    Source:
        Schubert, Rousseeuw, "Fast and eager k-medoids clustering", Information Systems 101, 2021, by way of
        their package `kmedoids`.
    """
    import kmedoids  # takes a second, and only this method needs it

    if clusters == 1:
        centres = distance.sum(axis=0).argmin(keepdims=True)
    else:
        centres = np.sort(kmedoids.fasterpam(distance, clusters, init="build", n_cpu=1).medoids.astype(int))
    labels = distance[:, centres].argmin(axis=1)
    labels[centres] = np.arange(len(centres))  # of identical medoids each stays in its own cluster
    return Partition(labels, centres)
