"""What a run logs of its steps: means of every loss since the last entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from pursuhint.losses import TERMS, Term
from pursuhint.training.weights import term_of


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


def step_entry(means: Mapping[str, Tensor], weights: Mapping[Term, float]) -> dict[str, Any]:
    """Return a logged step: ``total``, ``raw`` (each named loss) and ``weighted`` (each term).

    Args:
        means: the named losses and ``total``.
        weights: in force.
    """
    raw = {name: float(value) for name, value in means.items()}
    total = raw.pop("total")
    terms = {t: sum(v for name, v in raw.items() if term_of(name) == t) for t in TERMS}
    present = {term_of(name) for name in raw}
    weighted = {term: weights[term] * terms[term] for term in TERMS if term in present}
    return {"total": total, "raw": raw, "weighted": weighted}
