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
        ('about 50 seconds left', 'about 10 minutes left', '', '')
    """
    return f"about {duration(seconds * (total - done) / done)} left" if 0 < done < total else ""


def duration(seconds: float) -> str:
    """Write a duration as people say it.

    Example:
        >>> [duration(seconds) for seconds in (2, 17, 44, 95, 3700)]
        ['5 seconds', '15 seconds', '45 seconds', '2 minutes', '1 hour']
    """
    if seconds < 57.5:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    number, unit = (round(seconds / 60), "minute") if seconds < 3570 else (round(seconds / 3600), "hour")
    return f"{number} {unit}" + "s" * (number != 1)
