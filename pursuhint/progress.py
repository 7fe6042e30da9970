"""How long work says where it is: a callback that the command line, a worker or a test provides."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)``."""


def silent(stage: str, done: int, total: int) -> None:
    """Say nothing."""


def time_left(done: int, total: int, seconds: float) -> str:
    """Say how long work will go on at the pace so far; empty where nothing can be said yet.

    Args:
        done: parts done since the work began.
        total: parts there are to do.
        seconds: since the work began.

    Example:
        >>> time_left(5, 25, 12.0), time_left(1, 61, 10.0), time_left(0, 9, 3.0), time_left(9, 9, 3.0)
        ('about 50 s left', 'about 10 min left', '', '')
    """
    if not 0 < done < total:
        return ""
    left = seconds * (total - done) / done
    if left < 90:
        return f"about {max(5, 5 * round(left / 5))} s left"
    return f"about {round(left / 60)} min left" if left < 5400 else f"about {left / 3600:.1f} h left"
