"""Intervals for shares of right answers: how far a figure may be from the truth."""

from __future__ import annotations

import numpy as np

Z_95 = 1.959963984540054
"""The standard normal distribution's 97.5 % point."""


def wilson(right: np.ndarray | int, n: np.ndarray | int, *, z: float = Z_95) -> tuple[np.ndarray, np.ndarray]:
    """Return the score interval of a share.

        (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n)

    Args:
        right: how many of `n`, any shape.
        n: at least 1, or 0 where nothing is known: the interval is then 0 to 1.
        z: of the level; 95 % by default.

    Returns:
        Lower and upper ends, float, shape of `right`, 0 to 1.

    Source:
        E. B. Wilson, JASA 22(158), 1927.

    Example:
        >>> low, high = wilson(8, 10)
        >>> round(float(low), 3), round(float(high), 3)
        (0.49, 0.943)
    """
    right, n = np.asarray(right, float), np.asarray(n, float)
    many = np.maximum(n, 1.0)
    share = right / many
    middle = share + z**2 / (2 * many)
    half = z * np.sqrt(share * (1 - share) / many + z**2 / (4 * many**2))
    low, high = (middle - half) / (1 + z**2 / many), (middle + half) / (1 + z**2 / many)
    # At the ends exactly 0 and 1, which rounding misses.
    low, high = np.where(right == 0, 0.0, low), np.where(right == many, 1.0, high)
    return np.where(n == 0, 0.0, low), np.where(n == 0, 1.0, high)


def paired_difference(
    both: np.ndarray | int,
    first: np.ndarray | int,
    second: np.ndarray | int,
    neither: np.ndarray | int,
    *,
    z: float = Z_95,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the difference of two shares on the same images, with its interval.

    Args:
        both: images that both got right, any shape.
        first: that only the first got right.
        second: that only the second got right.
        neither: that none got right.
        z: of the level; 95 % by default.

    Returns:
        The first share minus the second, and the lower and the upper end, -1 to 1; NaN where there are no
        images.

    Source:
        R. G. Newcombe, Statistics in Medicine 17(22), 1998, 2635-2650: method 10, Wilson's intervals of both
        shares squared and added with the correlation of the answers.

    Example:
        >>> difference, low, high = paired_difference(80, 2, 8, 10)
        >>> [round(float(value), 3) for value in (difference, low, high)]
        [-0.06, -0.13, 0.005]
    """
    both, first, second, neither = (np.asarray(count, float) for count in (both, first, second, neither))
    n = both + first + second + neither
    known = np.where(n > 0, n, np.nan)
    p, q = (both + first) / known, (both + second) / known
    (p_low, p_high), (q_low, q_high) = wilson(both + first, n, z=z), wilson(both + second, n, z=z)
    correlation = _correlation(both, first, second, neither, n)
    p_down, p_up, q_down, q_up = p - p_low, p_high - p, q - q_low, q_high - q
    down = np.sqrt(p_down**2 - 2 * correlation * p_down * q_up + q_up**2)
    up = np.sqrt(p_up**2 - 2 * correlation * p_up * q_down + q_down**2)
    return p - q, p - q - down, p - q + up


def _correlation(
    both: np.ndarray, first: np.ndarray, second: np.ndarray, neither: np.ndarray, n: np.ndarray
) -> np.ndarray:
    """Return Newcombe's estimate of the correlation: pulled towards 0 when positive, 0 when not defined."""
    product = both * neither - first * second
    pulled = np.where(product > 0, np.maximum(product - n / 2, 0.0), product)
    scale = np.sqrt((both + first) * (second + neither) * (both + second) * (first + neither))
    return np.divide(pulled, scale, out=np.zeros_like(scale), where=scale > 0)


def mcnemar(first: int, second: int) -> float:
    """Return the probability of a split at least as uneven, if both were equally good.

    Exact: of the images that only one got right, each is as likely the first's as the second's.

    Args:
        first: images that only the first got right.
        second: that only the second got right.

    Returns:
        The two-sided p value, 0 to 1; 1 when they are right on the same images.

    Source:
        Q. McNemar, Psychometrika 12(2), 1947; the exact form with the binomial distribution.

    Example:
        >>> mcnemar(0, 4), mcnemar(3, 3)
        (0.125, 1.0)
    """
    n, fewer = first + second, min(first, second)
    # By logarithms: 2^-n of ten thousand images is no float.
    logs = np.cumsum(np.log(np.arange(n, n - fewer, -1)) - np.log(np.arange(1, fewer + 1)))
    terms = np.concatenate([[0.0], logs]) - n * np.log(2)
    return float(min(1.0, 2 * np.exp(terms).sum()))
