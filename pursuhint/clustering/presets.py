"""Hint points chosen without looking at the layers: the baselines that clustering has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pursuhint.errors import InputError


def uniform(layers: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the middle layers of `count` equal stretches of depth.

    Args:
        layers: L names in depth order.
        count: 1..L.

    Returns:
        `count` names in depth order.

    Raises:
        InputError: fewer than one or more than L.

    Example:
        >>> uniform(["a", "b", "c", "d", "e", "f"], 3)
        ('b', 'd', 'f')
    """
    check_count(count, len(layers))
    return tuple(layers[(2 * part + 1) * len(layers) // (2 * count)] for part in range(count))


def random_layers(layers: Sequence[str], count: int, seed: int) -> tuple[str, ...]:
    """Return `count` different layers drawn at random, in depth order; the same ones for the same seed.

    Raises:
        InputError: fewer than one or more than L.
    """
    check_count(count, len(layers))
    drawn = np.random.default_rng(seed).choice(len(layers), size=count, replace=False)
    return tuple(layers[index] for index in sorted(drawn))


def check_count(count: int, layers: int) -> None:
    """Refuse to make more groups than there are layers, or none."""
    if not 1 <= count <= layers:
        raise InputError(
            f"the number of clusters must lie between 1 and the number of layers, {layers}: found {count}; "
            f"choose at most {layers}, or offer more layers"
        )
