"""Random subsets of the probe images, drawn as whole blocks without replacement."""

from __future__ import annotations

import math

import numpy as np

from pursuhint.errors import InputError

SHARE = 0.8
"""Part of the blocks that each subset holds."""


def draw_subsets(blocks: int, resamples: int, *, seed: int = 0) -> np.ndarray:
    """Draw subsets of the blocks; no two are the same while there are others.

    Args:
        blocks: B, the number of blocks.
        resamples: the number of subsets.
        seed: the same one draws the same subsets.

    Returns:
        (resamples, round(0.8 B)) block numbers, ascending in each row.

    Raises:
        InputError: fewer than 2 subsets, or so few blocks that a subset would hold all of them.

    Example:
        >>> draw_subsets(5, 3).tolist()
        [[1, 2, 3, 4], [0, 2, 3, 4], [0, 1, 2, 4]]
    """
    kept = round(SHARE * blocks)
    if resamples < 2:
        raise InputError(
            f"`resamples` must be 2 or more, for one subset has nothing to agree with: found {resamples}; "
            "100 is usual"
        )
    if kept >= blocks:
        raise InputError(
            f"at least 3 blocks of images are needed to leave some out: found {blocks}; take more images "
            "(of flattened activations each minibatch of 256 is a block)"
        )
    rng = np.random.default_rng(seed)
    possible = math.comb(blocks, kept)
    subsets: list[tuple[int, ...]] = []
    fresh: set[tuple[int, ...]] = set()
    while len(subsets) < resamples:
        subset = tuple(sorted(rng.choice(blocks, size=kept, replace=False).tolist()))
        if subset not in fresh:
            subsets.append(subset)
            fresh.add(subset)
        if len(fresh) == possible:  # all were drawn: begin again
            fresh.clear()
    return np.array(subsets)
