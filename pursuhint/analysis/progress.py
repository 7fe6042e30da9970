"""How far an analysis is: its stages, and the time left by the rates that were measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pursuhint.progress import duration

STAGES = {
    "start": "Starting a process",
    "images": "Opening the data",
    "teacher": "Loading the network",
    "layers": "Passing the probe images through it",
    "students": "Looking for smaller networks",
    "test": "Measuring its test accuracy",
}
"""Name of a stage in the journal -> the same for people, in their order."""
BY_IMAGES = ("layers", "test")
"""Stages whose images go through the network, all at about the same rate."""
N_TEST = 1000
"""Test images that the last stage takes at most."""

Standing = Literal["done", "current", "to come"]
Event = Mapping[str, Any]


@dataclass(frozen=True)
class StageProgress:
    """One stage of an analysis.

    Attributes:
        name: key in ``STAGES``.
        standing: whether it is over.
        done, total: images in the current stage; 0 of 0 where they are not counted.
        seconds: it took, or has taken so far; 0 where it is to come.
    """

    name: str
    standing: Standing
    done: int = 0
    total: int = 0
    seconds: float = 0.0

    @property
    def title(self) -> str:
        """What is done in it, in words."""
        return STAGES[self.name]


@dataclass(frozen=True)
class AnalysisProgress:
    """How far an analysis is.

    Attributes:
        stages: all of them, in order.
        seconds_left: for what can be foreseen; None where nothing can.
        foreseen: whether that is all that is left.
    """

    stages: tuple[StageProgress, ...]
    seconds_left: float | None
    foreseen: bool

    @property
    def share(self) -> float:
        """Part of the current stage's images that are done, 0 to 1."""
        current = next((stage for stage in self.stages if stage.standing == "current"), None)
        return min(1.0, current.done / current.total) if current and current.total else 0.0

    @property
    def time_left(self) -> str:
        """The time left in words."""
        if self.seconds_left is None:
            return "time left not known yet"
        return f"{'about' if self.foreseen else 'at least'} {duration(self.seconds_left)} left"


def analysis_progress(
    events: Sequence[Event], *, now: float, usual: Mapping[str, float] | None = None
) -> AnalysisProgress:
    """Work out how far an analysis is from its journal.

    Args:
        events: of the journal, oldest first; only what came after the last start counts.
        now: seconds since 1970.
        usual: seconds that stages took in earlier analyses.

    Returns:
        The stages. What is left of a counted stage follows from its own rate; images of a later one from the
        rate of the earlier one; of all others it is what they usually take.

    Example:
        >>> journal = [{"kind": "state", "state": "running", "time": 0.0},
        ...            {"kind": "stage", "stage": "layers", "time": 2.0},
        ...            {"kind": "progress", "done": 0, "total": 100, "time": 2.0},
        ...            {"kind": "progress", "done": 25, "total": 100, "time": 4.0}]
        >>> found = analysis_progress(journal, now=4.0, usual={"students": 3.0, "test": 1.0})
        >>> found.stages[3].standing, found.time_left
        ('current', 'about 10 seconds left')
    """
    usual, begun = usual or {}, _since_start(events)
    names, order = list(STAGES), [event["stage"] for event in begun]
    at = names.index(order[-1]) if order else 0
    took, rate, stages, left = dict(_durations(begun, now)), None, [], []
    for place, name in enumerate(names):
        told = [event for event in _progress_of(events, name) if event["total"]]
        rate = _rate(told) or rate if name in BY_IMAGES else rate
        if place < at:
            stages.append(StageProgress(name, "done", seconds=took.get(name, 0.0)))
        elif place > at:
            stages.append(StageProgress(name, "to come"))
            left.append(
                N_TEST / rate if name in BY_IMAGES and rate and name not in usual else usual.get(name)
            )
        else:
            done, total = (told[-1]["done"], told[-1]["total"]) if told else (0, 0)
            spent = took.get(name, 0.0)
            stages.append(StageProgress(name, "current", done, total, spent))
            own = _rate(told)
            if own:
                left.append(max(0.0, (total - done) / own - (now - told[-1]["time"])))
            else:
                left.append(max(0.0, usual[name] - spent) if name in usual else None)
    known = [seconds for seconds in left if seconds is not None]
    return AnalysisProgress(tuple(stages), sum(known) if known else None, len(known) == len(left))


def usual_seconds(journals: Iterable[Sequence[Event]]) -> dict[str, float]:
    """Return what the stages took in earlier analyses, those named first counting more.

    Args:
        journals: of analyses that ended, the latest first. A stage whose images are counted is left out: it
            depends on the network and on the images.
    """
    found: dict[str, float] = {}
    for events in journals:
        begun = _since_start(events)
        for name, seconds in _durations(begun, None):
            if name not in BY_IMAGES:
                found.setdefault(name, seconds)
    return found


def _since_start(events: Sequence[Event]) -> list[Event]:
    """Return the beginnings of stages since the worker last claimed the folder, the start included."""
    begun: list[Event] = []
    for event in events:
        if event["kind"] == "state" and event["state"] in ("queued", "running"):
            begun = (
                begun
                if begun and begun[-1]["stage"] == "start"
                else [{"stage": "start", "time": event["time"]}]
            )
        elif event["kind"] == "stage" and event["stage"] in STAGES:
            begun.append(event)
    return begun


def _durations(begun: Sequence[Event], now: float | None) -> list[tuple[str, float]]:
    """Return stage and seconds; the last one counts up to now, or not at all."""
    ends = [event["time"] for event in begun[1:]] + ([now] if now is not None else [])
    return [(event["stage"], max(0.0, end - event["time"])) for event, end in zip(begun, ends, strict=False)]


def _progress_of(events: Sequence[Event], stage: str) -> list[Event]:
    """Return what was reported in a stage since it last began."""
    found: list[Event] = []
    current = "start"
    for event in events:
        if event["kind"] == "stage":
            current = event["stage"]
            found = [] if current == stage else found
        elif event["kind"] == "progress" and current == stage:
            found.append(event)
    return found


def _rate(told: Sequence[Event]) -> float | None:
    """Return images a second between the first and the last report; None before the second one."""
    if len(told) < 2 or told[-1]["time"] <= told[0]["time"] or told[-1]["done"] <= told[0]["done"]:
        return None
    return (told[-1]["done"] - told[0]["done"]) / (told[-1]["time"] - told[0]["time"])
