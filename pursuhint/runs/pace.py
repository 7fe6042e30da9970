"""How quick a run is and how long it still takes, from the times of its latest entries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pursuhint.runs.history import History

LATEST = 40
"""Logged steps that are looked back on: two epochs."""
UNITS = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))


@dataclass(frozen=True)
class Pace:
    """How a run goes.

    Attributes:
        images_per_second: training images.
        seconds_left: until the last epoch, validation included.
    """

    images_per_second: float
    seconds_left: float


def pace(history: History, *, epochs: int, batch_size: int) -> Pace | None:
    """Measure the pace of a run since it was last started.

    Args:
        history: of the run.
        epochs: that it takes in all.
        batch_size: images a step.

    Returns:
        The pace; None before two steps were logged.
    """
    began = history.states[-1]["time"] if history.states else 0.0
    times = history.steps.column("time")[-LATEST:]
    since = times >= began
    times = times[since]
    if len(times) < 2 or times[-1] <= times[0]:
        return None
    steps, places = (history.steps.column(name)[-LATEST:][since] for name in ("step", "epoch"))
    seconds = times[-1] - times[0]
    left = max(0.0, epochs - places[-1])
    per_epoch = seconds / (places[-1] - places[0])
    return Pace(float((steps[-1] - steps[0]) * batch_size / seconds), float(np.round(left * per_epoch, 1)))


def in_words(seconds: float) -> str:
    """Write a length of time for people.

    Example:
        >>> in_words(4.2), in_words(95), in_words(600), in_words(7_500), in_words(200_000)
        ('4 s', '1 min 35 s', '10 min', '2 h 5 min', '2 d 7 h')
    """
    whole = round(seconds)
    for unit, size, smaller, part in (
        ("d", 86_400, "h", 3_600),
        ("h", 3_600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {smaller}" if rest and whole < 5 * size else "")
    return f"{whole} s"
