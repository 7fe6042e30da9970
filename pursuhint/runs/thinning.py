"""Fewer points for a line that looks the same: the extremes of every stretch stay."""

from __future__ import annotations

import numpy as np

MOST = 1000
"""Points of a line that are sent to a page: about as many as it has columns of pixels."""

View = tuple[float, float]
"""The part of the horizontal axis that is looked at, from and to."""


def thin(values: np.ndarray, *, most: int = MOST, first: int = 0, last: int | None = None) -> np.ndarray:
    """Choose the points of a line that are worth drawing: the least and the greatest of each stretch.

    A peak of a single point stays, which leaving out every other point would lose. Stretches hold a power
    of two of points and begin at multiples of it, so the points chosen of what is there stay chosen while
    new ones arrive, and the line does not shimmer.

    Args:
        values: float, shape (n,), in the order of the horizontal axis.
        most: points that may be chosen, at least 6.
        first: where the part begins that is chosen from.
        last: the position behind its end; None for the end of the line.

    Returns:
        int64, sorted positions in `values`, at most `most`: all of the part when that is short enough.

    Source:
        The min-max part of M4: U. Jugel, Z. Jerzak, G. Hackenbroich, V. Markl, PVLDB 7(10), 2014, section 4.
        Differs from the paper in the stretches, which there are the columns of pixels, and in that the
        first and the last point are kept of the whole only.

    Example:
        >>> peak = np.zeros(10_000)
        >>> peak[4321] = 1.0
        >>> chosen = thin(peak, most=100)
        >>> len(chosen) <= 100, 4321 in chosen
        (True, True)
    """
    last = len(values) if last is None else last
    if last - first <= most:
        return np.arange(first, last)
    size = 2
    while 2 * (-(-last // size) - first // size) + 2 > most:
        size *= 2
    begin, end = first // size, -(-last // size)
    part = np.full((end - begin) * size, np.nan)
    part[first - begin * size : last - begin * size] = values[first:last]
    stretches = part.reshape(end - begin, size)
    starts = begin * size + size * np.arange(end - begin)
    known = ~np.isnan(stretches).all(axis=1)
    low = np.nanargmin(stretches[known], axis=1) + starts[known]
    high = np.nanargmax(stretches[known], axis=1) + starts[known]
    return np.unique(np.concatenate([[first], low, high, [last - 1]]))


def thin_view(
    places: np.ndarray, values: np.ndarray, view: View | None = None, *, most: int = MOST
) -> np.ndarray:
    """Choose the points of a line in a part of the horizontal axis, with as much again on either side.

    Args:
        places: float, shape (n,), rising: where the points are.
        values: float, shape (n,).
        view: what is looked at; None for all.
        most: points that may be chosen.

    Example:
        >>> places = np.arange(100_000.0)
        >>> chosen = thin_view(places, np.sin(places), (500.0, 600.0))
        >>> chosen.min().item(), chosen.max().item(), len(chosen)
        (400, 700, 301)
    """
    if view is None:
        return thin(values, most=most)
    low, high = view
    margin = high - low
    first = int(np.searchsorted(places, low - margin, side="left"))
    last = int(np.searchsorted(places, high + margin, side="right"))
    return thin(values, most=most, first=first, last=last)


def shortened(values: np.ndarray, digits: int = 5) -> list[float]:
    """Return numbers with as many digits as a drawing shows, which are fewer bytes to send.

    Example:
        >>> shortened(np.array([0.0123456789, -123456.789, 0.0]))
        [0.012346, -123460.0, 0.0]
    """
    with np.errstate(divide="ignore"):
        places = np.floor(np.log10(np.abs(values)))
    scale = 10.0 ** (digits - 1 - np.where(np.isfinite(places), places, 0.0))
    return (np.round(values * scale) / scale).tolist()
