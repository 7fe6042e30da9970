"""The adjusted Rand index: how far two clusterings of the same layers agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def adjusted_rand(first: Sequence[int], second: Sequence[int]) -> float:
    """Return the share of pairs of layers that two clusterings treat alike, corrected for chance.

    ``(together - expected) / (most - expected)``, where pairs in one cluster count: in both clusterings; as
    many as chance would have so; the mean of those in the first and those in the second.

    Written out because importing scikit-learn's takes two seconds, which every command would wait for.

    Args:
        first: (L,) cluster of each layer; what the clusters are called does not matter.
        second: (L,) the same of another clustering.

    Returns:
        1 for the same clusters, about 0 for unrelated ones, never above 1. Two clusterings that leave nothing
        to chance (one cluster each, or nothing but singletons in both) agree: 1.

    Source:
        Hubert, Arabie, "Comparing partitions", 1985, equation 5.

    Example:
        >>> adjusted_rand([0, 0, 1, 1], [1, 1, 0, 0]), adjusted_rand([0, 0, 1, 1], [0, 1, 0, 1])
        (1.0, -0.5)
    """
    _, rows = np.unique(first, return_inverse=True)
    _, columns = np.unique(second, return_inverse=True)
    counts = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(counts, (rows, columns), 1)
    together, of_first, of_second, of_all = (
        (sizes * (sizes - 1) / 2).sum()
        for sizes in (counts, counts.sum(axis=1), counts.sum(axis=0), counts.sum(keepdims=True))
    )
    # Everything times the number of pairs: whole and half numbers, so that equal sums are exactly equal.
    expected = of_first * of_second
    most = (of_first + of_second) / 2 * of_all
    return 1.0 if most == expected else float((together * of_all - expected) / (most - expected))
