"""One layer that stands for others: how well each would, and which hint point stands for which layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pursuhint.errors import InputError


def stand_in_scores(values: np.ndarray, members: Sequence[int]) -> np.ndarray:
    """Return for each member of a cluster its mean similarity to the other members.

    The largest belongs to the cluster's medoid.

    Args:
        values: (L, L) similarities.
        members: indices of the cluster's layers.

    Returns:
        One number a member, in their order; 1 for a cluster of one.

    Raises:
        InputError: no member, or an index outside 0..L-1.

    Source:
        Kaufman and Rousseeuw (1987), Clustering by means of medoids.

    Example:
        >>> values = np.array([[1.0, 0.5, 0.25], [0.5, 1.0, 0.75], [0.25, 0.75, 1.0]])
        >>> stand_in_scores(values, [0, 1, 2]).tolist()
        [0.375, 0.625, 0.5]
    """
    _check(values, members, "a cluster needs members")
    if len(members) == 1:
        return np.ones(1)
    among = values[np.ix_(members, members)]
    return (among.sum(axis=1) - np.diag(among)) / (len(members) - 1)


def nearest_hint(values: np.ndarray, hints: Sequence[int]) -> np.ndarray:
    """Return for each layer which hint point stands for it: the most similar one, among equals the first.

    Args:
        values: (L, L) similarities.
        hints: indices of the hint points.

    Returns:
        (L,) places in `hints`.

    Raises:
        InputError: no hint point, or an index outside 0..L-1.

    Example:
        >>> nearest_hint(np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.7], [0.2, 0.7, 1.0]]), [0, 2]).tolist()
        [0, 1, 1]
    """
    _check(values, hints, "layers need hint points")
    return values[:, list(hints)].argmax(axis=1)


def _check(values: np.ndarray, indices: Sequence[int], need: str) -> None:
    if not len(indices) or min(indices) < 0 or max(indices) >= len(values):
        raise InputError(
            f"{need} with indices from 0 to {len(values) - 1}: found {list(indices)}; name layers of this "
            "matrix"
        )
