"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """What one look found.

    Attributes:
        name: of what was looked at.
        level: how it is.
        found: in words.
        advice: what to do; empty when nothing need be done.
    """

    name: str
    level: Level
    found: str
    advice: str = ""


def by_amount(name: str, amount: float, found: str, advice: str, *, enough: float, least: float) -> Finding:
    """Return a finding on something of which there can be too little.

    Args:
        name: of what was looked at.
        amount: that there is.
        found: in words.
        advice: for when there is less than `enough`.
        enough: below it is a warning.
        least: below it is a problem.

    Example:
        >>> by_amount("memory", 3, "3 GB", "close something", enough=2, least=1)
        Finding(name='memory', level='ok', found='3 GB', advice='')
        >>> by_amount("memory", 1, "1 GB", "close something", enough=2, least=1).level
        'warning'
    """
    level: Level = "ok" if amount >= enough else "warning" if amount >= least else "problem"
    return Finding(name, level, found, "" if level == "ok" else advice)
