"""The curves of runs: one drawing that keeps its zoom while data arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import cached, downloads, failures, launch, state
from app.chrome import card, dark
from app.drawing.drawing import ELEMENTS, register
from app.runs import choice
from app.runs.levels import Levels
from app.words import plain
from pursuhint import figures
from pursuhint.runs import RunFolder
from pursuhint.runs.panels import KINDS, PALETTE, Shown, curves, weights_in_words
from pursuhint.runs.record import epoch_rows, step_table
from pursuhint.runs.setting_differences import setting_differences
from pursuhint.runs.untaught import is_untaught, untaught_settings

_component = register(
    "run_curves",
    html=["runs/curves.html"],
    css=["runs/curves.css"],
    js=[ELEMENTS, "runs/panel.js", "runs/curves.js"],
)


def draw(runs: Sequence[RunFolder], summaries: Sequence[dict[str, Any]], levels: Levels, live: bool) -> None:
    """Draw the curves of runs, the first one's page it is."""
    mine = state.get()
    key = f"curves-{runs[0].id}"
    with st.container():
        choose_kind()
        if not live:
            offer(runs[0], summaries[0]["name"], key)
    shown = [
        Shown(run.id, name, PALETTE[mine.overlay.colours[run.id]], cached.runs().history(run))
        for run, name in zip(runs, _unique([one["name"] for one in summaries]), strict=True)
    ]
    view = st.session_state.get(key, {}).get("view")
    content = curves(
        shown,
        # one that was finished early has no more to come
        epochs=max(one["epoch" if one["state"] == "finished" else "epochs"] for one in summaries),
        kind=mine.overlay.kind,
        marks=levels.marks if len(shown) == 1 else levels.marks[:1],
        weights=_weights(shown[0], runs[0]) if len(shown) == 1 else "",
        live=live,
        view=tuple(view) if view else None,
    )
    _component(key=key, data=content, default={"view": None}, on_view_change=lambda: None)
    if len(shown) == 1:
        _tell(runs[0], summaries[0], levels)


def offer(run: RunFolder, name: str, key: str) -> None:
    """Offer the curves as pictures and as a page, and everything that was recorded as a table."""
    history = cached.runs().history(run)
    if history.steps:
        figure = figures.curves(epoch_rows(history), dark=dark()) if history.epochs else None
        files = {"figure": figure, "picture": key, "part": ".panels"}
        downloads.offer("curves", f"curves-{name}", table=pd.DataFrame(step_table(history)), **files)


def choose_kind() -> None:
    """Let the visitor choose what is drawn of each term."""
    mine = state.get()
    st.segmented_control(
        "Terms of the loss",
        KINDS,
        default=mine.overlay.kind,
        key="run-kind",
        label_visibility="collapsed",
        required=True,
        on_change=lambda: mine.list_runs_by(kind=st.session_state["run-kind"]),
        help="Each term times its weight, as it is, or as its part of the total.",
    )


def _weights(shown: Shown, run: RunFolder) -> str:
    settled = shown.history.facts.get("weights", {}).get("weights", {})
    return weights_in_words(settled, run.run_settings.weight_schedule.model_dump())


def _tell(run: RunFolder, summary: dict[str, Any], levels: Levels) -> None:
    """Say which run without a teacher is compared with, or let one be made."""
    alone = levels.untaught
    if alone is None:
        if not is_untaught(summary["settings"]) and summary["state"] == "finished":
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(
                    "What the teacher adds shows beside the same training without it.", width="content"
                )
                if st.button("Train without a teacher", key="run-alone", type="tertiary"):
                    failures.kept(train_alone)(run)
                    st.rerun()  # the new run is drawn over this one
        return
    differs = f"; it also differs in {', '.join(alone.differs)}" if alone.differs else ""
    st.caption(
        f"No teacher: the finished run “{plain(alone.name)}” of the same student, data and seed{differs}."
    )


def differences(runs: Sequence[RunFolder]) -> None:
    """Draw the settings in which runs differ, and only those."""
    if len(runs) < 2:
        return
    with failures.shown():
        _differences([cached.runs().summary(run) for run in runs])


def _differences(summaries: Sequence[dict[str, Any]]) -> None:
    found = setting_differences([summary["settings"] for summary in summaries])
    with card("What differs", "settings that are not the same"):
        if not found:
            st.caption("nothing: the settings are the same")
            return
        columns = _unique([summary["name"] for summary in summaries])
        rows = {name.replace("_", " "): [_said(value) for value in values] for name, values in found.items()}
        st.dataframe(pd.DataFrame.from_dict(rows, orient="index", columns=columns))


def train_alone(run: RunFolder) -> None:
    """Start the same training without the teacher, and draw it over the run."""
    choice.take([*state.get().overlay.runs, launch.start(untaught_settings(run.run_settings))])


def _said(value: Any) -> str:
    if value is None or value == []:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _unique(names: list[str]) -> list[str]:
    """Number the names that occur before, as columns of a table need."""
    return [
        name if names.index(name) == place else f"{name} ({names[: place + 1].count(name)})"
        for place, name in enumerate(names)
    ]
