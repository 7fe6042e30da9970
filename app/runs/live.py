"""One run as it goes: drawn anew every second while it is live."""

from __future__ import annotations

import streamlit as st

from app import cached, failures, fragments
from app.runs import charts, figures, head
from app.runs.levels import levels
from pursuhint.jobs import LIVE
from pursuhint.runs import RunFolder
from pursuhint.runs.index import known_tags

EVERY = 1
"""Seconds between two looks at a live run."""
LOG_TAIL = 6000


def draw(runs: list[RunFolder]) -> None:
    """Draw the first of these runs, with the curves of the others over its own."""
    with failures.shown():
        fragments.follow(_draw, _is_live, runs, every=EVERY)


def _is_live(runs: list[RunFolder]) -> bool:
    there = (run for run in runs if run.path.is_dir())
    return any(cached.runs().summary(run)["state"] in LIVE for run in there)


def _draw(runs: list[RunFolder]) -> None:
    if not all(run.path.is_dir() for run in runs):
        st.rerun()  # somebody else has deleted it; the page finds another one
    index = cached.runs()
    history = index.history(runs[0])
    summaries = [index.summary(run) for run in runs]
    live = any(summary["state"] in LIVE for summary in summaries)
    beside = levels(summaries[0], history)
    with st.container():  # its lines come and go; the curves below stay where they are
        head.draw(runs[0], summaries[0], known_tags(cached.summaries()[0]))
    figures.draw(summaries[0], history, beside)
    with st.container():
        charts.draw(runs, summaries, beside, live)
    failures.warn(*history.warnings)
    log(runs[0])


def log(run: RunFolder) -> None:
    """Draw the end of what the worker printed, and where everything of the run is."""
    with st.expander("Log", icon=":material/description:", key=f"run-log-{run.id}"):
        told = run.log_tail(LOG_TAIL).replace(f" {run.id} ", "  ")  # the page says which run
        st.code(told or "nothing was printed", language=None)
        st.caption(f"Kept in {run.path}")
