"""Which runs the page is about: the address says so, and can be sent to somebody else."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

import streamlit as st

from app import cached, failures, state
from pursuhint.errors import InputError, PursuhintError
from pursuhint.runs import RunFolder, find_run

RUN, WITH = "run", "with"
"""In the address: the run whose page it is, and those whose curves are drawn over its own."""


def chosen(newest: RunFolder) -> list[RunFolder]:
    """Return the runs that the address names, else those looked at last, else the newest one.

    The first one's page it is; the address then names them all.
    """
    mine = state.get()
    named, beside = st.query_params.get(RUN), st.query_params.get(WITH, "")
    found: list[RunFolder] = []
    if named:
        with failures.shown():
            found = [_named(named)]
    for name in beside.split(",") if named else mine.overlay.runs:
        with suppress(PursuhintError):  # it was deleted meanwhile
            found.append(find_run(name)) if name else None
    runs = list({run.id: run for run in found or [newest]}.values())
    mine.look_at(run.id for run in runs)
    mine.renew_ticket()
    _tell_address()
    return runs[: state.MOST_RUNS]


def _named(run: str) -> RunFolder:
    try:
        return find_run(run)
    except InputError:
        if run not in state.get().overlay.runs:
            raise
        raise InputError(f"run `{run}` is gone: it was deleted in another tab or by a command") from None


def take(ids: list[str], *, elsewhere: bool = True) -> None:
    """Look at other runs.

    Args:
        ids: of the runs, the one whose page it is first.
        elsewhere: whether they were chosen anywhere but in the table, which then has to follow.
    """
    mine = state.get()
    mine.look_at(ids)
    if elsewhere:
        mine.list_runs_by(drawn=mine.overlay.drawn + 1)
    _tell_address()


def forget(ids: list[str]) -> None:
    """Stop looking at runs that are gone."""
    for run in ids:
        cached.runs().forget(run)
    take([run for run in state.get().overlay.runs if run not in ids])


def _tell_address() -> None:
    runs = state.get().overlay.runs
    for name, value in ((RUN, runs[0] if runs else ""), (WITH, ",".join(runs[1:]))):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def link() -> str:
    """Return the address of what is looked at, for somebody else's browser."""
    runs = state.get().overlay.runs
    here = (st.context.url or "").partition("?")[0]
    beside = {WITH: ",".join(runs[1:])} if runs[1:] else {}
    return f"{here}?{urlencode({RUN: runs[0]} | beside, safe=',')}"
