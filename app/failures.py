"""Errors of the library as the visitor sees them; any other exception is a defect and stays one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from app import state
from pursuhint.errors import PursuhintError

P = ParamSpec("P")
WORDS = {
    "--weights": "Checkpoint",
    "--preprocess": "Preprocessing",
    "--allow-weak-teacher": "Go on even if the teacher is near chance level",
    "--allow-crossing": "Let pairs cross",
    "--pair": "Pairs",
    "--targets-limit": "At most, in GB",
    "--keep-targets": "Kept views",
    "--compile": "Compile",
    "--weight-logit": "L_logit",
    "--weight-hint": "L_hint",
}
"""Option of the command line -> what stands beside it on the page."""


def in_page_words(text: str) -> str:
    """Name a page's fields where an error names options of the command line.

    Example:
        >>> in_page_words("give its input size with `--preprocess`, such as `imagenet/256/224`")
        'give its input size with “Preprocessing”, such as `imagenet/256/224`'
    """
    for option, label in WORDS.items():
        text = text.replace(f"`{option}`", f"“{label}”")
    return text


def show(text: str) -> None:
    """Show what went wrong."""
    st.error(in_page_words(text), icon=":material/error:")


@contextmanager
def shown() -> Iterator[None]:
    """Show an error of the library in place of what could not be drawn."""
    try:
        yield
    except PursuhintError as error:
        show(str(error))


def kept(callback: Callable[P, None]) -> Callable[P, None]:
    """Let a callback's error wait for the page that is drawn after it."""

    @wraps(callback)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except PursuhintError as error:
            state.get().problem = str(error)

    return guarded


def show_kept() -> None:
    """Show what a callback left, once."""
    mine = state.get()
    if mine.problem:
        show(mine.problem)
        mine.problem = ""
