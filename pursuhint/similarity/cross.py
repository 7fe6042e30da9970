"""The squared cross-products of all pairs of layers in a few large matrix products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

PANEL_COLUMNS = 1024
"""Columns of one product: enough for full speed, few enough to bound its memory."""


def cross_products(layers: Sequence[np.ndarray]) -> np.ndarray:
    """Return ``||X_i^T X_j||_F^2`` for all pairs.

    All layers stand side by side in one (N, sum of C) matrix; a panel of neighbouring layers is multiplied
    with itself and everything deeper at once, so that no pair of panels is computed twice.

    Args:
        layers: L arrays (N, C_i).

    Returns:
        (L, L) float64, symmetric.

    Example:
        >>> cross_products([np.eye(3), np.eye(3)[:, :2]])
        array([[3., 2.],
               [2., 2.]])
    """
    offsets = np.cumsum([0] + [layer.shape[1] for layer in layers])
    stacked = np.concatenate(layers, axis=1)
    products = np.zeros((len(layers), len(layers)))
    for first, last in _panels(offsets):
        start, stop = offsets[first], offsets[last]
        squared = np.square(stacked[:, start:stop].T @ stacked[:, start:])
        by_row = np.add.reduceat(squared, offsets[first:last] - start, axis=0)
        products[first:last, first:] = np.add.reduceat(by_row, offsets[first:-1] - start, axis=1)
    upper = np.triu(products)
    return upper + np.triu(upper, 1).T


def _panels(offsets: np.ndarray) -> Iterator[tuple[int, int]]:
    """Cut the layers into runs of at most ``PANEL_COLUMNS`` columns, at least one layer each."""
    first, depth = 0, len(offsets) - 1
    while first < depth:
        last = int(np.searchsorted(offsets, offsets[first] + PANEL_COLUMNS, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last
