"""From the cross-products of all layers side by side to one number for each pair of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pursuhint.similarity.threads import one_blas_thread


def squared_norms(
    cross: np.ndarray,
    ranks: Sequence[int],
    *,
    rows: np.ndarray | None = None,
    columns: np.ndarray | None = None,
) -> np.ndarray:
    """Return ``||diag(rows_i) C_ij diag(columns_j)||_F^2`` for the pairs i <= j.

    Args:
        cross: (P, P); blocks below the diagonal are not read.
        ranks: L block sizes, P in all.
        rows: (P,) weights; None: 1.
        columns: (P,) weights; None: 1.

    Returns:
        (L, L) float64, 0 below the diagonal.

    Example:
        >>> squared_norms(np.arange(9.0).reshape(3, 3), [1, 2])
        array([[  0.,   5.],
               [  0., 154.]])
    """
    offsets = np.cumsum([0, *ranks])
    squared_rows = np.ones(offsets[-1]) if rows is None else np.square(rows)
    squared_columns = np.ones(offsets[-1]) if columns is None else np.square(columns)
    sums = np.zeros((len(ranks), len(ranks)))
    for layer, (start, stop) in enumerate(zip(offsets, offsets[1:], strict=False)):
        panel = cross[start:stop, start:]
        by_column = squared_rows[start:stop].astype(cross.dtype) @ np.square(panel)
        weighted = by_column.astype(np.float64) * squared_columns[start:]
        sums[layer, layer:] = np.add.reduceat(weighted, offsets[layer:-1] - start)
    return sums


def bilinear_sums(cross: np.ndarray, ranks: Sequence[int], weights: np.ndarray) -> np.ndarray:
    """Return ``w_i^T C_ij w_j`` for the pairs i <= j.

    Args:
        cross: (P, P) or larger; blocks below the diagonal and what is beyond P are not read.
        ranks: L block sizes, P in all.
        weights: (P,).

    Returns:
        (L, L) float64, 0 below the diagonal.

    Example:
        >>> bilinear_sums(np.array([[1.0, 2.0], [2.0, 5.0]]), [1, 1], np.array([1.0, 3.0]))
        array([[ 1.,  6.],
               [ 0., 45.]])
    """
    offsets = np.cumsum([0, *ranks])
    sums = np.zeros((len(ranks), len(ranks)))
    for layer, (start, stop) in enumerate(zip(offsets, offsets[1:], strict=False)):
        by_column = weights[start:stop] @ cross[start:stop, start : offsets[-1]] * weights[start:]
        sums[layer, layer:] = np.add.reduceat(by_column, offsets[layer:-1] - start)
    return sums


def mirrored(upper: np.ndarray) -> np.ndarray:
    """Return the symmetric matrix with this upper triangle.

    Example:
        >>> mirrored(np.array([[1.0, 2.0], [0.0, 3.0]]))
        array([[1., 2.],
               [2., 3.]])
    """
    return np.triu(upper) + np.triu(upper, 1).T


def for_pairs(
    cross: np.ndarray, ranks: Sequence[int], measure: Callable[[int, int, np.ndarray], float]
) -> np.ndarray:
    """Call a function of (i, j, block) for the pairs i < j and return what it says, with ones elsewhere.

    Args:
        cross: (P, P); blocks below the diagonal are not read.
        ranks: L block sizes, P in all.
        measure: gives one number for a float64 block (R_i, R_j).

    Returns:
        (L, L) float64, symmetric.
    """
    offsets = np.cumsum([0, *ranks])
    values = np.eye(len(ranks))
    with one_blas_thread():
        for first, second in zip(*np.triu_indices(len(ranks), 1), strict=True):
            block = cross[offsets[first] : offsets[first + 1], offsets[second] : offsets[second + 1]]
            values[first, second] = measure(int(first), int(second), block.astype(np.float64))
    return mirrored(values)
