"""What a run's accuracy is compared with: its teacher, and the same student without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import cached, current
from app.chrome import percent
from pursuhint.runs import History
from pursuhint.runs.panels import Mark
from pursuhint.runs.untaught import Untaught, find_untaught

FRESH = 10
"""Seconds for which a search among all runs and analyses holds."""


@dataclass(frozen=True)
class Levels:
    """What is known of the teacher and of the untaught student; None where nothing is.

    Attributes:
        teacher: its accuracy on test, or on some validation images when that is all there is.
        teacher_note: which images that were, when it was not all of test.
    """

    teacher: float | None
    teacher_note: str
    untaught: Untaught | None

    @property
    def marks(self) -> list[Mark]:
        """The levels of the curve of the validation accuracy."""
        found = []
        if self.teacher is not None:
            found.append(Mark(100 * self.teacher, f"teacher {percent(self.teacher)}{self.teacher_note}"))
        if self.untaught:
            share = self.untaught.validation_accuracy
            found.append(Mark(100 * share, f"no teacher {percent(share)}"))
        return found

    def beside(self, share: float | None, split: str) -> str:
        """Say how far an accuracy is from both, in percentage points."""
        if share is None:
            return ""
        said = []
        if self.untaught:
            alone = getattr(self.untaught, f"{split}_accuracy")
            said.append(f"{points(share - alone)} points over no teacher")
        if self.teacher is not None:
            said.append(f"{points(share - self.teacher)} points to the teacher")
        return " · ".join(said)


def points(share: float) -> str:
    """Write a difference in percentage points.

    Example:
        >>> points(0.011), points(-0.0234)
        ('+1.10', '−2.34')
    """
    return f"{100 * share:+.2f}".replace("-", "−")


def levels(summary: dict[str, Any], history: History) -> Levels:
    """Return what a run is compared with."""
    teacher, untaught = _found(summary["id"], summary["settings"].get("teacher_hash", ""))
    note, check = "", history.facts.get("start", {}).get("teacher_accuracy_check")
    if teacher is None and check is not None:
        teacher, note = check, " on validation"
    return Levels(teacher, note, untaught)


@st.cache_data(ttl=FRESH, max_entries=64, show_spinner=False)
def _found(run: str, teacher_hash: str) -> tuple[float | None, Untaught | None]:
    summaries, _ = cached.summaries()
    mine = next((one for one in summaries if one["id"] == run), None)
    teacher = current.teacher_accuracy(teacher_hash) if teacher_hash else None
    return teacher, find_untaught(mine, summaries) if mine else None
