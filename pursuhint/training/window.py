"""What a run logs of its steps: means of every loss since the last entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from pursuhint.losses import TERMS
from pursuhint.training.loss_names import term_of

TOTAL = "total"
WEIGHTED = "weighted "
"""Stands before the name of a loss whose value was multiplied by the weight in force at that step."""


@dataclass
class Window:
    """The mean of every value since it was last asked for; stays on the device until then."""

    sums: dict[str, Tensor] = field(default_factory=dict)
    count: int = 0

    def add(self, values: dict[str, Tensor]) -> None:
        """Add the values of a step."""
        self.sums = {name: self.sums.get(name, 0) + value for name, value in values.items()}
        self.count += 1

    def mean(self) -> dict[str, Tensor]:
        """Return the means and begin anew."""
        means = {name: value / self.count for name, value in self.sums.items()}
        self.sums, self.count = {}, 0
        return means


def step_values(
    named: Mapping[str, Tensor], weighted: Mapping[str, Tensor], total: Tensor
) -> dict[str, Tensor]:
    """Return what a window keeps of a step.

    Args:
        named: the unweighted losses.
        weighted: the same times their weights.
        total: what was minimised.
    """
    values = dict(named) | {f"{WEIGHTED}{name}": value for name, value in weighted.items()} | {TOTAL: total}
    return {name: value.detach() for name, value in values.items()}


def step_entry(means: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return a logged step from the means of its `step_values`.

    Returns:
        ``total``; ``raw``: each named loss; ``contributions``: each named loss times its weight, which add up
        to the total; ``weighted``: the same summed over each term.

    Example:
        >>> values = {"cls": 2.0, "hint/p": 3.0, "weighted cls": 2.0, "weighted hint/p": 0.3, "total": 2.3}
        >>> step_entry(values)["weighted"], step_entry(values)["contributions"]
        ({'cls': 2.0, 'hint': 0.3}, {'cls': 2.0, 'hint/p': 0.3})
    """
    raw = {name: float(value) for name, value in means.items()}
    total = raw.pop(TOTAL)
    contributions = {
        name.removeprefix(WEIGHTED): raw.pop(name) for name in list(raw) if name.startswith(WEIGHTED)
    }
    present = {term_of(name) for name in contributions}
    weighted = {
        term: sum(value for name, value in contributions.items() if term_of(name) == term)
        for term in TERMS
        if term in present
    }
    return {TOTAL: total, "raw": raw, "contributions": contributions, "weighted": weighted}
