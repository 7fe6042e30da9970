"""How far the hint points can be trusted: how often each is chosen among resamples of the probe images."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import downloads, failures, overrides, state
from app.chrome import dark, draw
from app.words import plain
from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import METHODS
from pursuhint.figures import chosen_bars
from pursuhint.plan import HintPlan
from pursuhint.similarity import METRICS
from pursuhint.stability import Stability, StabilityQuestion
from pursuhint.view import LayerView

BARS = "hints-chosen"
OFTEN, SELDOM = 0.9, 0.5
"""Agreement of clusterings from which they count as steady, and below which as shaky."""


def stability(analysis: AnalysisFolder, plan: HintPlan, view: LayerView) -> None:
    """Draw how often each layer is chosen; resampling takes seconds, so it waits to be asked for."""
    preset, samples = plan.method not in METHODS, state.get().choice.samples
    question, found = question_of(plan), kept(analysis, plan)
    if found is None:
        st.caption(
            "A hundred times, a fifth of the probe images is left out and the layers are grouped anew."
        )
        if METRICS[plan.metric].family == "distances":
            st.caption("This metric compares all pairs of images, which takes minutes: use the command line.")
            asked = f"--metric {plan.metric} --method {plan.method} --clusters {len(plan.clusters)}"
            st.code(f"pursuhint stability --analysis {analysis.path} {asked}", language="bash")
            return
        if not st.button("Resample", icon=":material/casino:", key=f"resample-{question.key()}"):
            return
        with failures.shown(), st.spinner("Resampling the probe images …"):
            analysis.stability(question, samples=samples)
            st.rerun()  # without the button
    if found is not None:
        _show(found, view, plan, fixed=preset)


def question_of(plan: HintPlan) -> StabilityQuestion:
    """Return the question of a plan's stability; a preset's hint points are part of it."""
    preset = plan.method not in METHODS
    return StabilityQuestion(
        plan.metric, plan.method, len(plan.clusters), hint_points=plan.hint_points if preset else None
    )


def kept(analysis: AnalysisFolder, plan: HintPlan) -> Stability | None:
    """Return the stability of a plan where it was measured before."""
    return analysis.kept_stability(question_of(plan), samples=state.get().choice.samples)


def _show(found: Stability, view: LayerView, plan: HintPlan, *, fixed: bool) -> None:
    """Draw what was found; hint points that were chosen without looking are the same on all images."""
    if fixed:
        st.caption("These hint points do not depend on the images; which layers gather around them may.")
    else:
        alt = "How often each layer is a hint point among resamples"
        figure = chosen_bars(view, found.frequency, dark=dark())
        draw(figure, BARS, alt, **overrides.on_click(BARS))
        table = pd.DataFrame({"layer": list(found.frequency), "chosen": list(found.frequency.values())})
        downloads.offer("chosen", f"chosen-{found.metric}", figure=figure, picture=BARS, table=table)
    low, high = found.agreement_range
    steady = found.agreement >= OFTEN
    word = "steady" if steady else "shaky" if found.agreement < SELDOM else "fairly steady"
    st.caption(
        f"The clusters are **{word}**: those of {found.resamples} subsets agree with those of all "
        f"{found.images:,} images by {found.agreement:.2f} ({low:.2f} to {high:.2f}; adjusted Rand index, "
        "1 = the same). The subsets share images, so this is the kindest view."
    )
    if found.coverage.interval:
        low, high = found.coverage.interval
        automatic = "" if found.hint_points == plan.hint_points else "the automatic "
        st.caption(
            f"On other images the coverage of {automatic}{plain(', '.join(found.hint_points))} would lie "
            f"between {low:.3f} and {high:.3f} (95 %)."
        )
