"""Hint points changed by hand: by a click on a layer in a figure, or in the table."""

from __future__ import annotations

import os
from typing import Any

import pandas as pd
import streamlit as st

from app import current, downloads, failures, state
from app.access.gate import Gate
from app.access.people import named_people
from app.chrome import several, shape, table_height
from app.words import plain
from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import METHODS, PRESETS
from pursuhint.errors import InputError
from pursuhint.plan import HintPlan
from pursuhint.similarity import METRICS
from pursuhint.view import LayerView


def who() -> str:
    """Return who makes a change: who signed in by name, nobody behind a token, else the machine's user."""
    if named_people():
        return str(st.user.get("email") or "")
    return "" if Gate.standing else os.environ.get("USER", "")


def on_click(key: str) -> dict[str, Any]:
    """Return what makes a figure's layers clickable."""
    return {"on_select": lambda: clicked(key), "selection_mode": "points"}


@failures.kept
def clicked(key: str) -> None:
    """Add or remove the layer that was clicked in a figure."""
    for point in st.session_state[key]["selection"]["points"]:
        toggle(point["customdata"][1])


def toggle(layer: str) -> None:
    """Add the layer to the hint points, or remove it."""
    plan = current.plan(current.analysis())
    action = "remove" if layer in plan.hint_points else "add"
    state.get().edit(plan.with_override(action, layer, who=who()))


def move(hint: str, layer: str) -> None:
    """Let a layer take the place of a hint point.

    Raises:
        InputError: an unknown layer, or one that is (no) hint point already.
    """
    plan = current.plan(current.analysis())
    swapped = plan.with_override("add", layer, who=who()).with_override("remove", hint, who=who())
    state.get().edit(swapped)


def table(analysis: AnalysisFolder, plan: HintPlan, view: LayerView) -> None:
    """Draw the layers with a box to tick and a place for the reason."""
    known = {layer.name: layer for layer in analysis.layers}
    reasons = {override.layer: override.why for override in plan.overrides}
    rows = pd.DataFrame(
        {
            "hint": [name in plan.hint_points for name in plan.layers],
            "layer": plan.layers,
            "cluster": [[view.cluster_name(i)] for i in range(len(plan.layers))],
            "shape": [shape(known[name].shape) for name in plan.layers],
            "automatic": [name in plan.centres for name in plan.layers],
            "why": [reasons.get(name, "") for name in plan.layers],
        }
    )
    letters = {view.cluster_name(i): view.colour(i) for i in range(len(plan.layers))}
    key = f"hints-table-{state.get().revision}"
    st.data_editor(
        rows,
        hide_index=True,
        height=table_height(len(plan.layers)),
        disabled=["layer", "cluster", "shape", "automatic"],
        column_config={
            "hint": st.column_config.CheckboxColumn("hint point", width="small"),
            "cluster": st.column_config.MultiselectColumn(
                options=list(letters), color=list(letters.values()), width="small"
            ),
            "automatic": st.column_config.CheckboxColumn(width="small", help="The centre of its cluster."),
            "why": st.column_config.TextColumn("your reason", help="Kept in the plan for changed layers."),
        },
        key=key,
        on_change=edited,
        args=(key, plan),
    )
    downloads.offer("hints-table", f"hint-points-{plan.metric}", table=rows)


@failures.kept
def edited(key: str, plan: HintPlan) -> None:
    """Take over what was ticked or written in the table; a row that is refused keeps no other back.

    Raises:
        InputError: what was refused, one line for each row.
    """
    edits, refused = st.session_state[key]["edited_rows"], []
    for row in sorted(edits, key=lambda row: edits[row].get("hint") is False):  # one may take another's place
        try:
            _take_row(plan.layers[int(row)], edits[row])
        except InputError as error:
            refused.append(str(error))
    if refused:
        state.get().renew_widgets()  # the table would hand over what was refused with every later edit
        raise InputError("\n".join(refused))


def _take_row(layer: str, changes: dict[str, Any]) -> None:
    is_hint = layer in current.plan(current.analysis()).hint_points
    if changes.get("hint", is_hint) != is_hint:
        toggle(layer)
    if changes.get("why") is not None:
        note(layer, changes["why"])


def note(layer: str, why: str, *, strict: bool = True) -> None:
    """Keep the reason for what was done to a layer.

    Args:
        layer: the layer.
        why: the reason.
        strict: False where what was done may have been undone while the reason was written.

    Raises:
        InputError: nothing was done to it.
    """
    plan = current.plan(current.analysis())
    if layer not in [override.layer for override in plan.overrides]:
        if not strict:
            return
        raise InputError(
            f"`{layer}` is as the clusters chose it; tick or untick it first, then give a reason"
        )
    state.get().note(layer, why, plan)


def steps() -> None:
    """Draw what goes back and forth between plans; it stands where the present one cannot be drawn, too."""
    mine = state.get()
    automatic = mine.choice not in mine.edited
    with st.container(horizontal=True, width="content", gap="small"):
        st.button("Undo", on_click=mine.undo, disabled=not mine.past, icon=":material/undo:")
        st.button("Redo", on_click=mine.redo, disabled=not mine.future, icon=":material/redo:")
        st.button("Back to automatic", on_click=mine.forget_edits, disabled=automatic)


def elsewhere() -> None:
    """Say under which choice changes by hand wait when the present one shows none, and lead back there."""
    mine = state.get()
    if mine.choice not in mine.edited and mine.edited:
        there = list(mine.edited)[-1]
        method = (METHODS | PRESETS)[there.method].title
        of = "" if there.samples is None else f", {there.samples:,} images"
        st.button(
            f"Your changes wait under {METRICS[there.metric].title}, {method}, K = {there.clusters}{of}",
            on_click=lambda: mine.choose(**vars(there)),
            key="hints-elsewhere",
            type="tertiary",
            icon=":material/history:",
        )


@failures.kept
def opened(key: str) -> None:
    """Take over the plan of an uploaded file."""
    file = st.session_state[key]
    if file is not None:
        opened_plan = current.open_plan(file.getvalue(), file.name)
        points = several(len(opened_plan.hint_points), "hint point")
        said = f"Opened **{plain(file.name)}**: {points}; Undo brings the former plan back"
        st.toast(said, icon=":material/check:")
