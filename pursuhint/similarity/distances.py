"""Metrics that look at the distances among images: the distances of a layer, and the cosines of all pairs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.spatial.distance import pdist

from pursuhint.errors import InputError
from pursuhint.similarity.basis import Basis
from pursuhint.similarity.metric import DistancesMetric


def squared_distances(features: np.ndarray, basis: Basis) -> np.ndarray:
    """Return the squared Euclidean distances of all pairs of images.

    Args:
        features: (n, C).
        basis: of these features; takes the mean away, under which small differences would lose digits.

    Returns:
        (n (n - 1) / 2,) as `scipy.spatial.distance.squareform` understands it, in units of the layer's total
        variation.
    """
    scale = np.linalg.norm(basis.singular_values)
    if basis.width > len(features):  # as many coordinates as images say the same
        return pdist(basis.coordinates(features) * basis.shares, "sqeuclidean")
    live = basis.directions.any(axis=1)
    centred = np.asarray(features, dtype=np.float64)[:, live] - basis.mean[live]
    return pdist(centred / scale, "sqeuclidean")


def compare_distances(measure: DistancesMetric, layers: Iterable[tuple[str, np.ndarray]]) -> np.ndarray:
    """Return the similarities of all pairs of layers.

    Args:
        measure: the metric.
        layers: L pairs of a name and (n, n) squared distances; one is in memory at a time.

    Returns:
        (L, L) float64.

    Raises:
        InputError: a layer holds all pairs of images equally far apart.
    """
    rows = []
    for name, squared in layers:
        vector = measure.prepare(squared) if squared.any() else np.zeros(1)
        norm = np.linalg.norm(vector)
        if norm == 0:
            raise InputError(
                f"`{measure.name}` is not defined for `{name}`: all pairs of the {len(squared):,} images are "
                "equally far apart; take more images, or leave the layer out"
            )
        rows.append(vector / norm)
    stacked = np.stack(rows)
    return stacked @ stacked.T
