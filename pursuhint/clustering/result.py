"""What every clustering method returns, first in indices, then in layer names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Partition:
    """A clustering in indices: which centre each layer joined.

    Attributes:
        labels: (L,) integers, cluster of each layer, in 0..K-1.
        centres: (K,) integers, index of the layer that stands for each cluster.
        cycled: whether the rule came back to a state instead of settling.
    """

    labels: np.ndarray
    centres: np.ndarray
    cycled: bool = False


@dataclass(frozen=True)
class Clustering:
    """Layers in groups, each with the layer that stands for it.

    Attributes:
        method: key in ``METHODS`` or ``PRESETS``.
        layers: L names in depth order.
        clusters: the names of each cluster in depth order; clusters by the depth of their centre.
        centres: one name a cluster, in depth order: the automatic hint points.
        cycled: the `pursuhint` rule did not settle; this is its best state.
        silhouette: mean silhouette in [-1, 1]; None for one cluster and for as many clusters as layers.
    """

    method: str
    layers: tuple[str, ...]
    clusters: tuple[tuple[str, ...], ...]
    centres: tuple[str, ...]
    cycled: bool
    silhouette: float | None

    def labels(self) -> tuple[int, ...]:
        """Return the number of the cluster of each layer, in depth order."""
        cluster = {name: number for number, names in enumerate(self.clusters) for name in names}
        return tuple(cluster[name] for name in self.layers)


def medoids(distance: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return each cluster's member of least total distance to the others; ties go to the lower index.

    Args:
        distance: (L, L).
        labels: (L,) integers in 0..K-1, none of them unused.

    Returns:
        (K,) indices of layers.
    """
    members = [np.flatnonzero(labels == cluster) for cluster in range(labels.max() + 1)]
    return np.array([group[distance[np.ix_(group, group)].sum(axis=0).argmin()] for group in members])
