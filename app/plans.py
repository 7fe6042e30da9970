"""Several plans side by side; choosing one takes it over."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import cached, current, downloads, failures, overrides, state
from pursuhint.analysis import AnalysisFolder
from pursuhint.comparison import PlanCoverage
from pursuhint.plan import HintPlan
from pursuhint.similarity import METRICS
from pursuhint.view import LayerView

CLICKED = "hints-plans-taken"


def side_by_side(analysis: AnalysisFolder, plan: HintPlan, view: LayerView) -> None:
    """Draw the plan in force between the best, the automatic, the usual and random ones."""
    rows = sorted(
        cached.coverages(analysis, plan, state.get().choice.samples), key=lambda row: row.value, reverse=True
    )
    label = dict(zip(view.layers, view.labels, strict=True))
    table = pd.DataFrame(
        {
            "plan": [row.name for row in rows],
            "coverage": [row.value for row in rows],  # with the button, so that a phone shows both
            "take": [_action(row, plan) for row in rows],
            "±": [row.half_width for row in rows],
            "points": [len(row.hint_points) or len(plan.hint_points) for row in rows],
            "hint points": [", ".join(label[name] for name in row.hint_points) for row in rows],
        }
    )
    columns = {
        "points": st.column_config.NumberColumn(width=50, help="How many hint points it has."),
        "hint points": st.column_config.TextColumn(width=150),
        "coverage": st.column_config.ProgressColumn(
            format="%.3f",
            min_value=0.0,
            max_value=1.0,
            width=115,
            help="Mean over all layers of the similarity to the nearest hint point. It rises with every "
            "point, so only plans of as many compare.",
        ),
        "±": st.column_config.NumberColumn(
            format="%.3f",
            width=60,
            help="Half the 95 % interval over other probe images, by the jackknife.",
        ),
        "take": st.column_config.ButtonColumn(
            "", width="small", type="tertiary", key=CLICKED, on_click=taken, args=(rows,)
        ),
    }
    measured = any(row.half_width is not None for row in rows)
    shown = table if measured else table.drop(columns="±")
    st.dataframe(shown, hide_index=True, column_config=columns, placeholder="–", key="hints-plans")
    downloads.offer("plans", f"plans-{plan.metric}", table=shown.drop(columns="take"))
    if not measured and METRICS[plan.metric].family != "distances":  # that of distances takes minutes
        _offer_intervals(analysis, plan)


def _offer_intervals(analysis: AnalysisFolder, plan: HintPlan) -> None:
    """Draw the button that measures the intervals, which takes seconds, and is kept."""
    samples = state.get().choice.samples
    if st.button("Measure ±", icon=":material/straighten:", key=f"plans-measure-{plan.metric}-{samples}"):
        with failures.shown(), st.spinner("Leaving out each part of the probe images …"):
            analysis.left_out(plan.metric, samples=samples)
            st.rerun()  # without the button


def _action(row: PlanCoverage, plan: HintPlan) -> str | None:
    """Return what can be done with a row: nothing with the plan in force, or with a mean of many."""
    return None if not row.hint_points or row.hint_points == plan.hint_points else "Use it"


@failures.kept
def taken(rows: Sequence[PlanCoverage]) -> None:
    """Make the plan of the row that was clicked one's own."""
    row, plan = rows[st.session_state[CLICKED]["row"]], current.plan(current.analysis())
    if row.hint_points == plan.centres:
        state.get().forget_edits()
    elif row.hint_points and row.hint_points != plan.hint_points:
        chosen = plan.automatic().with_hint_points(row.hint_points, who=overrides.who(), why=row.name)
        state.get().edit(chosen)
