"""What a step of the lesson is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import state
from app.bound import bound
from pursuhint.analysis import AnalysisFolder


@dataclass(frozen=True)
class Question:
    """What a reader is asked.

    Attributes:
        words: the question.
        options: to choose from; without any, a number from 0 to 1 is guessed.
    """

    words: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What is the case.

    Attributes:
        right: one of the question's options, or the number.
        why: the reason, in Markdown.
        near: how far from the number a guess still counts as right.
    """

    right: str | float
    why: str
    near: float = 0.1

    def fits(self, guess: Any) -> bool:
        """Say whether a guess is right.

        Example:
            >>> Answer(0.65, "").fits(0.6), Answer("no", "").fits("yes")
            (True, False)
        """
        if isinstance(self.right, str):
            return guess == self.right
        return guess is not None and abs(guess - self.right) <= self.near


@dataclass(frozen=True)
class Step:
    """One page of the lesson.

    Attributes:
        title: what it teaches.
        text: a few sentences, in Markdown.
        figure: draws the one control and the one figure.
        question: asked below the figure.
        answer: worked out from what the figure shows.
        explained: topics of `app.explain` that go with it.
        after: draws what follows the answer.
    """

    title: str
    text: str
    figure: Callable[[AnalysisFolder], None]
    question: Question
    answer: Callable[[AnalysisFolder], Answer]
    explained: tuple[str, ...] = ()
    after: Callable[[AnalysisFolder], None] | None = None


def control(name: str, start: Any) -> tuple[Any, dict[str, Any]]:
    """Return the value of a figure's control, and what ties a widget to it."""
    value = state.get().lesson.settings.get(name, start)

    def write(moved: Any) -> None:
        mine = state.get()
        mine.read(mine.lesson.set(name, moved))

    return value, bound(f"lesson-{name}", value, write)


def caption(text: str) -> None:
    """Write what a figure shows, below it."""
    with st.container(key="lesson-caption"):
        st.caption(text)
