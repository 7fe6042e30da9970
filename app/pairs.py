"""The pairs of the Distill page: those in force, drawn between the networks, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from app import failures, state
from app.bound import bound
from app.bridge.bridge import bridge
from app.chrome import folded, shape
from pursuhint.adapters import Adapter, describe_adapters
from pursuhint.analysis import AnalysisFolder
from pursuhint.errors import InputError
from pursuhint.layers import Layer
from pursuhint.pairs import Pair, crossing, default_pairs, settle_pairs, without_guided
from pursuhint.plan import HintPlan
from pursuhint.students import StudentCard


def in_force(plan: HintPlan, student: StudentCard) -> tuple[Pair, ...]:
    """Return the pairs of a plan with a student: the default ones, the plan's own, what was chosen here."""
    names = [layer.name for layer in student.layers]
    return settle_pairs(
        default_pairs(plan.hint_points, plan.layers, student.layers),
        [pair for pair in plan.pairs if pair.guided in names],
        [Pair(hint, guided) for hint, guided in state.get().guided.items()],
    )


def draw(analysis: AnalysisFolder, plan: HintPlan, student: StudentCard) -> tuple[Pair, ...] | None:
    """Draw the pairs and how they meet; returns those in force, None if the hint loss cannot compare them."""
    mine, chosen = state.get(), in_force(plan, student)
    known = {layer.name: layer for layer in student.layers}
    planned = [pair for pair in plan.pairs if pair.hint not in mine.guided]
    if lost := without_guided(planned, list(known)):
        failures.warn(f"Of the plan: {lost}. Until then a default pair takes its place.")
    hints = {layer.name: layer for layer in analysis.layers}
    loss, problem = mine.recipe.hint_loss, ""
    shapes = [{name: layer.shape for name, layer in side.items()} for side in (known, hints)]
    adapters = None
    try:
        adapters = describe_adapters(chosen, *shapes, loss)
    except InputError as error:  # shown below the drawing, in which it can be put right
        problem = str(error)
    bridge(analysis, plan, student, chosen, adapters)
    if problem:
        failures.show(problem)
    if box := folded("As a table", "pairs", ":material/table_rows:"):
        with box:
            _table(chosen, known, hints, adapters)
    if crossing(chosen, plan.hint_points, list(known)):
        tie = bound("distill-crossing", mine.recipe.allow_crossing, lambda on: mine.cook(allow_crossing=on))
        st.checkbox(failures.WORDS["--allow-crossing"], **tie)
    return None if problem else chosen


def _table(
    chosen: tuple[Pair, ...],
    known: Mapping[str, Layer],
    hints: Mapping[str, Layer],
    adapters: Sequence[Adapter] | None,
) -> None:
    """Draw the pairs as a table in which the guided layers can be changed."""
    mine = state.get()
    rows = pd.DataFrame(
        {
            "hint": [pair.hint for pair in chosen],
            "hint shape": [shape(hints[pair.hint].shape) for pair in chosen],
            "guided": [pair.guided for pair in chosen],
            "guided shape": [shape(known[pair.guided].shape) for pair in chosen],
            "adapter": [one.text for one in adapters] if adapters else ["–"] * len(chosen),
        }
    )
    key = f"distill-pairs-{mine.recipe.student}-{mine.recipe.hint_loss}-{mine.revision}"
    st.data_editor(
        rows,
        hide_index=True,
        disabled=["hint", "hint shape", "guided shape", "adapter"],
        column_config={
            "hint": st.column_config.TextColumn("hint point (teacher)"),
            "hint shape": st.column_config.TextColumn("its shape"),
            "guided": st.column_config.SelectboxColumn(
                "guided layer (student)",
                options=list(known),
                required=True,
                help="Double-click to change it.",
            ),
            "guided shape": st.column_config.TextColumn("its shape"),
            "adapter": st.column_config.TextColumn(help="Trained with the student and dropped at export."),
        },
        key=key,
        on_change=_paired,
        args=(key, chosen),
    )


def _paired(key: str, chosen: tuple[Pair, ...]) -> None:
    for row, changes in st.session_state[key]["edited_rows"].items():
        if changes.get("guided"):
            state.get().guide(chosen[int(row)].hint, changes["guided"])
