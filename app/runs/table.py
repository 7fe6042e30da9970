"""The table of all runs: sorted, filtered, ticked to be drawn over each other, tagged, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import pandas as pd
import streamlit as st

from app import cached, downloads, failures, fragments, state
from app.chrome import card, several
from app.runs import choice, head
from pursuhint.jobs import LIVE
from pursuhint.runs import RunFolder, find_run
from pursuhint.runs.index import ORDERS, accuracy, arrange, known_tags
from pursuhint.runs.panels import PALETTE

EVERY = 2
"""Seconds between two looks at live runs."""
ROWS, HEIGHT = 12, 440
"""Rows up to which the table is as high as they are, and its height in pixels beyond."""
CHIPS = [str(number + 1) for number in range(len(PALETTE))]
COLUMNS = {
    "": st.column_config.MultiselectColumn(
        options=CHIPS, color=list(PALETTE), width=50, help="Its colour in the curves"
    ),
    "run": st.column_config.TextColumn(width=260),
    "state": st.column_config.MultiselectColumn(
        options=list(head.COLOURS), color=list(head.COLOURS.values())
    ),
    "accuracy": st.column_config.NumberColumn(
        format="%.2f %%", help="On test once finished, else on validation."
    ),
    "compression": st.column_config.NumberColumn(format="%.2f ×"),
    "tags": st.column_config.ListColumn(),
    "started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
}


def draw() -> None:
    """Draw all runs, anew while one is live."""
    live = any(summary["state"] in LIVE for summary in cached.summaries()[0])
    fragments.fragment(_draw, every=EVERY if live else None)()


def _draw() -> None:
    summaries, problems = cached.summaries()
    with card("Runs", "tick to draw over each other · click a name to open"):
        _controls(summaries)
        mine = state.get().overlay
        found = arrange(summaries, words=mine.words, states=mine.states, tags=mine.tags, by=mine.by)
        told = several(len(summaries), "run")
        st.caption(told if len(found) == len(summaries) else f"{len(found):,} of {told}")
        for problem in problems:
            failures.show(problem)
        if not found:
            st.caption("No run fits; loosen what is asked for.")
            return
        _table(found)
        downloads.offer("runs", "runs", table=rows(found, {}).drop(columns=""))
        _deeds(found, known_tags(summaries))


def _controls(summaries: Sequence[dict[str, Any]]) -> None:
    mine = state.get()
    have = {
        "states": [name for name in head.COLOURS if any(one["state"] == name for one in summaries)],
        "tags": known_tags(summaries),
    }

    def take(name: str) -> None:
        value = st.session_state[f"runs-{name}"]
        mine.list_runs_by(**{name: tuple(value) if isinstance(value, list) else value})

    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = {"label_visibility": "collapsed"}
        st.text_input(
            "Words",
            mine.overlay.words,
            key="runs-words",
            on_change=take,
            args=("words",),
            placeholder="Name, student, loss, tag",
            icon=":material/search:",
            **asked,
        )
        for name in ("states", "tags"):
            st.multiselect(
                name.capitalize(),
                sorted({*have[name], *getattr(mine.overlay, name)}),
                list(getattr(mine.overlay, name)),
                key=f"runs-{name}",
                on_change=take,
                args=(name,),
                placeholder=f"Any {name}",
                **asked,
            )
        st.selectbox(
            "Order",
            list(ORDERS),
            list(ORDERS).index(mine.overlay.by),
            key="runs-by",
            on_change=take,
            args=("by",),
            format_func=lambda by: f"by {by}" if by != "newest" else "newest first",
            width=180,
            **asked,
        )


def rows(found: Sequence[dict[str, Any]], colours: dict[str, int]) -> pd.DataFrame:
    """Return the rows of the table."""
    return pd.DataFrame(
        {
            "": [[CHIPS[colours[one["id"]]]] if one["id"] in colours else [] for one in found],
            "run": [one["name"] for one in found],
            "state": [[one["state"]] for one in found],
            "epoch": [f"{one['epoch']} / {one['epochs']}" for one in found],
            "accuracy": pd.Series([_percent(one) for one in found], dtype=float),
            "compression": pd.Series([one["compression"] for one in found], dtype=float),
            "tags": [one["tags"] for one in found],
            "started": pd.to_datetime([_started(one) for one in found]),
        }
    )


def _percent(summary: dict[str, Any]) -> float | None:
    share = accuracy(summary)
    return None if share is None else 100 * share


def _started(summary: dict[str, Any]) -> datetime | None:
    try:
        return datetime.strptime(summary["created"], "%Y%m%d-%H%M%S")
    except ValueError:  # a folder that somebody named by hand
        return None


def _table(found: Sequence[dict[str, Any]]) -> None:
    looked = state.get().overlay
    ids = [one["id"] for one in found]
    # Ticks are positions: another order of the rows needs another table, which begins with the same runs.
    order = sha256(" ".join([*ids, str(looked.drawn)]).encode()).hexdigest()[:12]
    ticked = st.dataframe(
        rows(found, looked.colours),
        hide_index=True,
        column_config=COLUMNS,
        placeholder="–",
        key=f"runs-table-{order}",
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        selection_default={"selection": {"rows": [ids.index(run) for run in looked.runs if run in ids]}},
        height="content" if len(found) <= ROWS else HEIGHT,
    )["selection"]
    wanted = after_ticking(ids, list(looked.runs), ticked["rows"], ticked["cells"])
    if wanted != list(looked.runs):
        choice.take(wanted, elsewhere=bool(ticked["cells"]) or wanted[0] != looked.runs[0])
        st.rerun()


def after_ticking(
    ids: Sequence[str], looked: Sequence[str], rows: Sequence[int], cells: Sequence[Sequence[Any]]
) -> list[str]:
    """Return the runs that are looked at after a click into the table.

    Args:
        ids: of the rows.
        looked: at until now; the first one's page it is.
        rows: that are ticked.
        cells: that were clicked, as (row, column).

    Example:
        >>> after_ticking("abc", "a", [0, 2], []), after_ticking("abc", "ac", [0, 2], [(1, "run")])
        (['a', 'c'], ['b', 'c'])
    """
    if cells and cells[0][0] < len(ids):
        opened = ids[cells[0][0]]
        return [opened, *(run for run in looked[1:] if run != opened)]
    ticked = [ids[row] for row in rows if row < len(ids)]
    hidden = [run for run in looked if run not in ids]  # by what is asked for; they stay
    kept = [run for run in looked if run in ticked or run in hidden]
    return [*kept, *(run for run in ticked if run not in kept)][: state.MOST_RUNS] or list(looked)


def _deeds(found: Sequence[dict[str, Any]], tags: list[str]) -> None:
    """Offer what can be done with the ticked runs; `tags` are those that runs have."""
    looked = state.get().overlay.runs
    listed = {one["id"]: one for one in found}
    ticked = [find_run(run) for run in looked if run in listed]
    if len(ticked) < 2:
        return
    with st.container(horizontal=True):
        with st.popover(f"Tag {len(ticked)}", icon=":material/label:"), st.form("runs-tag", border=False):
            st.multiselect("Tags to add", tags, key="runs-add", accept_new_options=True)
            st.form_submit_button("Add", on_click=failures.kept(lambda: tag(ticked)), type="primary")
        if st.button(f"Delete {len(ticked)}", key="runs-delete", icon=":material/delete:"):
            head.confirm_delete(ticked, several(len(ticked), "run"))


def tag(runs: Sequence[RunFolder]) -> None:
    """Add the chosen tags to runs."""
    for run in runs:
        run.label(tags=[*run.labels.tags, *st.session_state["runs-add"]])
