"""The delete-one-block jackknife: how exact a number is that was computed from all probe images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from pursuhint.errors import InputError
from pursuhint.progress import Progress, silent
from pursuhint.similarity.threads import in_threads

if TYPE_CHECKING:
    from pursuhint.similarity.blocks import Blocks

CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Jackknife:
    """Estimates with their standard errors and 95 % intervals; all arrays have the shape of the estimate.

    Attributes:
        estimate: from all blocks.
        standard_error: of the estimate over other images.
        half_width: of the interval, before it is clipped to the bounds.
        low: lower end.
        high: upper end.
    """

    estimate: np.ndarray
    standard_error: np.ndarray
    half_width: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends, of a single number."""
        return float(self.low), float(self.high)


def jackknife(
    estimate: ArrayLike, left_out: ArrayLike, *, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> Jackknife:
    """Return standard error and 95 % interval from the estimates without each block in turn.

    ``se^2 = (B - 1) / B * sum_b (theta_b - mean theta)^2``; the interval is
    ``theta +- t(B - 1, 0.975) * se``. Not the bootstrap, which biases CCA: see `pursuhint.stability`.

    Args:
        estimate: (...) theta, from all blocks: a number, or a whole matrix.
        left_out: (B, ...) theta_b, without block b.
        bounds: lowest and highest value that theta can take; the interval is clipped to them.

    Returns:
        The intervals. They are of the estimate at this number of images: what fewer images add to CCA by
        chance alone is in theta and in its interval.

    Raises:
        InputError: fewer than two blocks, or estimates of another shape.

    Source:
        Efron, Tibshirani, "An introduction to the bootstrap", 1993, chapter 11; Student's t for the few
        blocks, as Tukey took it.

    Example:
        >>> means_without = [2.5, 2.0, 1.5]  # of the numbers 1, 2, 3
        >>> round(float(jackknife(2.0, means_without).standard_error), 4)  # 1 / sqrt 3
        0.5774
    """
    estimate, left_out = np.asarray(estimate, dtype=float), np.asarray(left_out, dtype=float)
    blocks = len(left_out) if left_out.ndim else 0
    if blocks < 2 or left_out.shape[1:] != estimate.shape:
        raise InputError(
            f"the jackknife needs at least 2 estimates of the shape {estimate.shape}, one without each "
            f"block: found an array {left_out.shape}; cut the images into more blocks"
        )
    spread = np.square(left_out - left_out.mean(axis=0)).sum(axis=0)
    error = np.sqrt((blocks - 1) / blocks * spread)
    half_width = stdtrit(blocks - 1, (1 + CONFIDENCE) / 2) * error
    low, high = (np.clip(estimate + side * half_width, *bounds) for side in (-1, 1))
    return Jackknife(estimate, error, half_width, low, high)


def leave_one_out(blocks: Blocks, metric: str, *, progress: Progress = silent) -> np.ndarray:
    """Return the similarities without each block in turn, (B, L, L)."""
    blocks.values(metric)  # measures what all parts share, before threads ask for it
    stack = np.empty((blocks.count, len(blocks.layers), len(blocks.layers)))
    others = ([other for other in range(blocks.count) if other != block] for block in range(blocks.count))
    for block, values in enumerate(in_threads(lambda part: blocks.values(metric, part), others)):
        stack[block] = values
        progress("intervals", block + 1, blocks.count)
    return stack
