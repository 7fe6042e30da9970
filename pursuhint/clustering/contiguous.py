"""Contiguous runs: the best cut of the depth axis, exactly."""

from __future__ import annotations

import numpy as np

from pursuhint.clustering.result import Partition, medoids

ROUNDING = 1e-12
"""Sums this close are equal: adding the same distances in another order differs by less."""


def contiguous(distance: np.ndarray, clusters: int, seed: int = 0) -> Partition:
    """Cut the layers into K runs of depth with the least total distance to the medoids of the runs.

    ``best[k, first] = min over last of cost[first, last] + best[k - 1, last + 1]``: the cheapest way to cut
    the layers from `first` on into k runs, by dynamic programming.

    Args:
        distance: (L, L).
        clusters: K, 1..L.
        seed: not used, the optimum is exact.

    Returns:
        The partition, centred on the medoids; of equally good cuts the one that cuts earlier.

    Source:
        Fisher, "On grouping for maximum homogeneity", 1958, with medoids in the place of means.
    """
    depth, costs = len(distance), run_costs(distance)
    best = np.full(depth + 1, np.inf)
    best[depth] = 0.0  # no layers are left, and no runs
    ends = []
    for _ in range(clusters):
        totals = costs + best[1:]  # (first, last) of the run in front
        last = _first_least(totals)
        ends.append(last)
        best = np.append(totals[np.arange(depth), last], np.inf)
    starts = [0]
    for last in reversed(ends[1:]):
        starts.append(last[starts[-1]] + 1)
    labels = np.searchsorted(starts, np.arange(depth), side="right") - 1
    return Partition(labels, medoids(distance, labels))


def run_costs(distance: np.ndarray) -> np.ndarray:
    """Return the total distance of every run to its medoid.

    Args:
        distance: (L, L).

    Returns:
        (L, L): the cost of the layers ``first..last``, both included; infinite below the diagonal.

    Example:
        >>> run_costs(np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0))))
        array([[ 0.,  1.,  2.],
               [inf,  0.,  1.],
               [inf, inf,  0.]])
    """
    depth = len(distance)
    costs = np.full((depth, depth), np.inf)
    for first in range(depth):
        totals = np.cumsum(distance[first:, first:], axis=1)  # (medoid, last), both from `first` on
        costs[first, first:] = totals.min(axis=0, initial=np.inf, where=_upper(depth - first))
    return costs


def _upper(size: int) -> np.ndarray:
    """Return which medoids lie within which run: none behind its last layer."""
    return np.triu(np.ones((size, size), dtype=bool))


def _first_least(totals: np.ndarray) -> np.ndarray:
    """Return for each row the first column of least value; rows of nothing but infinity give 0."""
    least = totals.min(axis=1, keepdims=True)
    return (totals <= least + ROUNDING).argmax(axis=1)
