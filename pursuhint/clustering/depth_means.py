"""The rule of the published PURSUhInT code: k-means over layers, with means taken over depth."""

from __future__ import annotations

import numpy as np

from pursuhint.clustering.result import Partition

MOST_ROUNDS = 80


def depth_means(distance: np.ndarray, clusters: int, seed: int = 0) -> Partition:
    """Cluster layers by the PURSUhInT rule.

    The centres start evenly spaced in depth, at ``int(t * (L - 1) / (K - 1))``, a single one in the middle.
    Each layer joins the nearest centre; a cluster's new centre is the member whose index is nearest
    ``int(mean(indices))``; until nothing moves, 80 rounds at most. Ties go to the lower index; an empty
    cluster keeps its centre.

    Args:
        distance: (L, L).
        clusters: K, 1..L.
        seed: not used, the rule is deterministic.

    Returns:
        The state the rule settles in. If it comes back to an earlier state instead, the visited state of
        least total distance between layers and their centres, flagged as cycled.

    Source:
        Keser et al., "PURSUhInT", 2023, by the published code. A centre is not a medoid.
    """
    centres = _seeds(len(distance), clusters)
    visited: dict[tuple[int, ...], float] = {}
    for _ in range(MOST_ROUNDS):
        labels = _nearest(distance, centres)
        visited[tuple(centres)] = distance[np.arange(len(distance)), centres[labels]].sum()
        moved = _move(centres, labels)
        if np.array_equal(moved, centres):
            return Partition(labels, centres)
        if tuple(moved) in visited:
            break
        centres = moved
    best = np.array(min(visited, key=visited.get))
    return Partition(_nearest(distance, best), best, cycled=True)


def _seeds(depth: int, clusters: int) -> np.ndarray:
    if clusters == 1:
        return np.array([(depth - 1) // 2])
    return np.arange(clusters) * (depth - 1) // (clusters - 1)


def _nearest(distance: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return for each layer which centre is nearest; among equals the one of the lowest layer index."""
    by_depth = np.argsort(centres, kind="stable")
    return by_depth[distance[:, centres[by_depth]].argmin(axis=1)]


def _move(centres: np.ndarray, labels: np.ndarray) -> np.ndarray:
    moved = centres.copy()
    for cluster in range(len(centres)):
        members = np.flatnonzero(labels == cluster)
        if len(members):
            middle = members.sum() // len(members)
            moved[cluster] = members[np.abs(members - middle).argmin()]
    return moved
