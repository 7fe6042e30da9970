"""Two similarity matrices of the same layers side by side: where they differ, and how alike they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pursuhint.errors import InputError
from pursuhint.similarity.matrix import SimilarityMatrix

SHOWN = 8
"""Pairs that are named as those that differ the most."""


@dataclass(frozen=True)
class PairDifference:
    """One pair of layers under both matrices.

    Attributes:
        layers: the two names, the shallower first.
        first, second: similarity in either matrix.
    """

    layers: tuple[str, str]
    first: float
    second: float

    @property
    def change(self) -> float:
        """How much higher the second matrix puts the pair."""
        return self.second - self.first


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Two matrices over the layers that both of them hold.

    Attributes:
        layers: L names in depth order.
        first, second: (L, L) similarities.
        rank_correlation: of the pairs, 1 = both put all pairs in the same order; None where one of them puts
            all pairs alike, or there are fewer than two pairs.
        largest: the pairs that differ the most, the largest difference first.
    """

    layers: tuple[str, ...]
    first: np.ndarray
    second: np.ndarray
    rank_correlation: float | None
    largest: tuple[PairDifference, ...]

    @property
    def difference(self) -> np.ndarray:
        """(L, L): the second similarities less the first ones, in [-2, 2]."""
        return self.second - self.first


def side_by_side(first: SimilarityMatrix, second: SimilarityMatrix, *, shown: int = SHOWN) -> SideBySide:
    """Compare two matrices of the same network, of other metrics, poolings or numbers of images.

    Args:
        first: of L1 layers.
        second: of L2 layers; those that both hold are compared.
        shown: how many of the pairs that differ most are named.

    Returns:
        The comparison. The one number for how alike the matrices are is Spearman's rank correlation of their
        pairs, because metrics have scales of their own: 0.9 is much for one and little for another.

    Raises:
        InputError: fewer than two layers in common.

    Source:
        Kriegeskorte, Mur, Bandettini, "Representational similarity analysis", 2008, compare matrices of
        dissimilarities by the rank correlation of their upper triangles.

    Example:
        >>> near = SimilarityMatrix(np.exp(-np.abs(np.subtract.outer(range(3), range(3)))), tuple("abc"),
        ...                         "cka_linear", "mean", 100, {}, {})
        >>> far = SimilarityMatrix(near.values**2, tuple("abc"), "cka_rbf", "mean", 100, {}, {})
        >>> found = side_by_side(near, far)
        >>> found.rank_correlation, found.largest[0].layers, round(found.largest[0].change, 3)
        (1.0, ('a', 'b'), -0.233)
    """
    layers = tuple(name for name in first.layers if name in second.layers)
    if len(layers) < 2:
        raise InputError(
            f"two matrices are compared over the layers that both hold, at least 2: found {len(layers)} "
            f"of {len(first.layers)} and {len(second.layers)}; take matrices of the same network"
        )
    values = []
    for matrix in (first, second):
        places = [matrix.layers.index(name) for name in layers]
        values.append(matrix.values[np.ix_(places, places)])
    rows, columns = np.triu_indices(len(layers), k=1)
    pairs = [one[rows, columns] for one in values]
    order = np.argsort(-np.abs(pairs[1] - pairs[0]), kind="stable")[:shown]
    largest = tuple(
        PairDifference((layers[rows[at]], layers[columns[at]]), float(pairs[0][at]), float(pairs[1][at]))
        for at in order
    )
    return SideBySide(layers, *values, rank_correlation(*pairs), largest)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Spearman's rank correlation; equal values share the mean of their ranks.

    Written out because importing ``scipy.stats`` takes a second, which a page would wait for.

    Args:
        first: (n,) numbers.
        second: (n,) others.

    Returns:
        In [-1, 1]; None where all of one are equal, or n < 2.

    Source:
        Spearman, "The proof and measurement of association between two things", 1904.

    Example:
        >>> rank_correlation(np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.3, 0.2])), rank_correlation(
        ...     np.array([1.0, 2.0]), np.array([3.0, 3.0]))
        (0.5, None)
    """
    ranks = [_ranks(one) - (len(one) - 1) / 2 for one in (first, second)]
    norms = [float(rank @ rank) for rank in ranks]
    if min(norms, default=0.0) == 0:
        return None
    # Ranks are whole and half numbers: the sums are exact, and equal orders give exactly 1.
    return float(ranks[0] @ ranks[1]) / float(np.sqrt(norms[0] * norms[1]))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 0 on; equal values share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[places]
