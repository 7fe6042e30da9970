"""What went wrong, as the visitor sees it: an error of the library, or a defect of the app."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from app import state
from app.words import prose
from pursuhint.errors import PursuhintError

P = ParamSpec("P")
LOG = logging.getLogger("pursuhint.app")
DEFECT = "defect"
"""Begins the key of the box that stands for what has a defect."""
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
    st.error(prose(in_page_words(text)), icon=":material/error:")


def warn(*texts: str) -> None:
    """Show what a visitor should know before going on, each in a box of its own."""
    for text in texts:
        st.warning(prose(in_page_words(text)), icon=":material/warning:")


def show_fields(reasons: Mapping[str, str]) -> None:
    """Show what is wrong in a form: field -> reason, one line for each."""
    lines = (f"**{field}**: {prose(in_page_words(reason))}" for field, reason in reasons.items())
    st.error("  \n".join(lines), icon=":material/error:")


@contextmanager
def shown() -> Iterator[None]:
    """Show an error of the library in place of what could not be drawn."""
    try:
        yield
    except PursuhintError as error:
        show(str(error))


@contextmanager
def defects(part: str) -> Iterator[None]:
    """Show a defect of the app as one, without its traceback, which goes to the log of the server.

    Args:
        part: of the page, which may have others with a defect.
    """
    try:
        yield
    except Exception as defect:
        LOG.exception("a page stopped at a defect")
        with st.container(border=True, key=f"{DEFECT}-{part}"):
            st.markdown("**This page stopped at a mistake of the app.**")
            st.caption("What you chose is kept, and what runs goes on. The server's log tells all; in short:")
            st.code(f"{type(defect).__name__}: {defect}", language=None, wrap_lines=True)
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button("Try again", key=f"{DEFECT}-again-{part}")
                st.page_link("../pages/teacher.py", label="Go to Teacher →")


def kept(callback: Callable[P, None]) -> Callable[P, None]:
    """Let a callback's error wait for the page or the fragment that is drawn after it."""

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
