"""Where a reader of the lesson stands: the step, what was guessed, what was looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pursuhint.errors import InputError

STEPS = 7


@dataclass(frozen=True)
class Reading:
    """How far a reader has come.

    Attributes:
        step: 1 to `STEPS`.
        guesses: step -> what the reader answers.
        revealed: the steps whose answer is shown.
        settings: control of a figure -> its value.
    """

    step: int = 1
    guesses: Mapping[int, Any] = field(default_factory=dict)
    revealed: frozenset[int] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def turned(self, step: int) -> Reading:
        """Return the reading at another step; beyond the ends it stays at the end."""
        return replace(self, step=min(max(step, 1), STEPS))

    def guessed(self, guess: Any) -> Reading:
        """Return the reading with a guess at the present step."""
        return replace(self, guesses={**self.guesses, self.step: guess})

    def looked_up(self) -> Reading:
        """Return the reading with the answer of the present step shown."""
        return replace(self, revealed=self.revealed | {self.step})

    def set(self, control: str, value: Any) -> Reading:
        """Return the reading with a control of a figure moved."""
        return replace(self, settings={**self.settings, control: value})


def step_named(text: str) -> int:
    """Return the step that an address names.

    Raises:
        InputError: there is none of that number.

    Example:
        >>> step_named("3")
        3
    """
    if text.isascii() and text.isdigit() and 1 <= int(text) <= STEPS:
        return int(text)
    raise InputError(
        f"the lesson has steps 1 to {STEPS}: found `{text}` in the address; write one of these behind `step=`"
    )
