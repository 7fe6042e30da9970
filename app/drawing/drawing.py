"""Drawings of our own: their files put together, and what visitors do in them brought to Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import state
from app.failures import kept

APP = Path(__file__).parents[1]
ELEMENTS, TELLING = "drawing/elements.js", "drawing/telling.js"

Events = Mapping[str, Callable[[Any], None]]
"""What a script sends -> what becomes of it."""


def text_of(*files: str) -> str:
    """Return files of the app, one below the other: Streamlit takes one, and there is no bundler."""
    return "\n".join((APP / file).read_text(encoding="utf-8") for file in files)


def register(name: str, *, html: Sequence[str], css: Sequence[str], js: Sequence[str]) -> Callable[..., Any]:
    """Make a drawing of files; returns what draws it."""
    return st.components.v2.component(name, html=text_of(*html), css=text_of(*css), js=text_of(*js))


def heard(key: str) -> dict[str, float]:
    """Return what a script that uses `TELLING` has to know: the number of the last event that was heard."""
    return {"heard": state.get().heard.get(key, 0)}


def callbacks(key: str, events: Events) -> dict[str, Callable[[], None]]:
    """Return what a drawing calls when its script, which uses `TELLING`, tells of events.

    Args:
        key: of the drawing.
        events: what the script sends -> what becomes of it; the error of one keeps no other from being done.
    """

    def hear() -> None:
        mine = state.get()
        told = st.session_state.get(key) or {}  # nothing: the visitor has left the page meanwhile
        for number, event, value in told.get("told") or ():
            if number > mine.heard.get(key, 0):
                mine.heard[key] = number
                kept(events[event])(value)

    return {"on_told_change": hear}
