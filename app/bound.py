"""Widgets that show a value of the state and write it back; the widget's own memory never counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import failures


def bound(key: str, value: Any, write: Callable[[Any], None]) -> dict[str, Any]:
    """Return the arguments that tie a widget to a value.

    Args:
        key: of the widget.
        value: what it is to show.
        write: receives what the visitor enters, before the page is drawn anew.

    Returns:
        ``key`` and ``on_change`` for any input widget.
    """
    if st.session_state.get(key) != value or key not in st.session_state:
        st.session_state[key] = value
    return {"key": key, "on_change": failures.kept(lambda: write(st.session_state[key]))}
