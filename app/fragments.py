"""Parts of a page that are drawn anew by themselves: after a click in them, or every so often."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from app import failures, state

P = ParamSpec("P")


def fragment(draw: Callable[P, None], *, every: float | None = None) -> Callable[P, None]:
    """Return what draws a part of a page that is drawn anew by itself, and says itself what goes wrong in it.

    The page cannot say it: it does not run after a click in a fragment, and what is raised there ends there,
    as a raw exception.

    Args:
        draw: the part; its module stands in the key of the box that a defect leaves.
        every: seconds between two drawings; None for after a click in it only.
    """

    @wraps(draw)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        with failures.defects(draw.__module__), failures.shown():
            if every and state.get().problem:
                st.rerun()  # here it would be gone a moment later; above the page it stays
            failures.show_kept()
            draw(*args, **kwargs)

    return st.fragment(guarded, run_every=every)


def follow(draw: Callable[P, None], is_live: Callable[P, bool], *args: P.args, every: float) -> None:
    """Draw a part of a page, anew while something is live, and the whole page once that begins or ends.

    Args:
        draw: the part.
        is_live: whether the part changes without the visitor.
        args: of both.
        every: seconds between two drawings while it is live.
    """
    was_live = is_live(*args)

    @wraps(draw)
    def look(*args: P.args) -> None:
        if is_live(*args) != was_live:
            st.rerun()  # only the page can set or stop the timer of a part
        draw(*args)

    fragment(look, every=every if was_live else None)(*args)
