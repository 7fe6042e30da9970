"""The states of a job and the named ways from one to another; there are no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pursuhint.errors import PursuhintError

State = Literal["queued", "running", "stopping", "stopped", "finished", "failed", "lost"]
LIVE: tuple[State, ...] = ("queued", "running", "stopping")
ENDED: tuple[State, ...] = ("stopped", "finished", "failed", "lost")


@dataclass(frozen=True)
class Transition:
    """One way to another state.

    Attributes:
        name: as the journal keeps it.
        sources: the states that it may start from.
        target: where it leads.
    """

    name: str
    sources: tuple[State, ...]
    target: State


TRANSITIONS = (
    Transition("ask", ENDED, "queued"),
    Transition("wait", ("queued",), "queued"),
    Transition("begin", ("queued", *ENDED), "running"),
    Transition("ask to stop", ("queued", "running"), "stopping"),
    Transition("heed", ("stopping",), "stopping"),
    Transition("stop", LIVE, "stopped"),
    Transition("finish", LIVE, "finished"),
    # Of processes that train together each may say so; what ended may be refused before it goes on.
    Transition("fail", (*LIVE, "stopped", "failed", "lost"), "failed"),
    Transition("lose", LIVE, "lost"),
)


def transition(current: State | None, target: State, *, job: str = "job") -> Transition:
    """Return the way from a state to another.

    Args:
        current: where the job is; None for one that was never in any state, which may take each.
        target: where it is to go.
        job: its id, for the message.

    Raises:
        PursuhintError: there is none.

    Example:
        >>> transition("running", "finished").name
        'finish'
    """
    for one in TRANSITIONS:
        if one.target == target and (current is None or current in one.sources):
            return one
    allowed = ", ".join(dict.fromkeys(one.target for one in TRANSITIONS if current in one.sources))
    raise PursuhintError(f"`{job}` is {current} and cannot become {target}; from there it becomes {allowed}")
