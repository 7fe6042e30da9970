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


@contextmanager
def shown() -> Iterator[None]:
    """Show an error of the library in place of what could not be drawn."""
    try:
        yield
    except PursuhintError as error:
        st.error(str(error), icon=":material/error:")


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
        st.error(mine.problem, icon=":material/error:")
        mine.problem = ""
