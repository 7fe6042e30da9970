"""Step 7: the reader chooses hint points, and trains a student with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from app import cached, current, launch, state
from app.chrome import dark, draw, several
from app.lesson.step import Answer, Question, Step, caption, control
from app.lesson.why_layers_group import grouped
from app.recipe import Recipe
from pursuhint.analysis import AnalysisFolder
from pursuhint.coverage import CoverageReport, coverage_report
from pursuhint.figures import cover_bars
from pursuhint.hints import DEFAULT_CLUSTERS
from pursuhint.lesson import nearest_hint
from pursuhint.pairs import default_pairs
from pursuhint.plan import HintPlan

OPTIONS = ("Yes", "No, the rule finds the best")
STUDENT, EPOCHS = "zoo:resnet8?width=0.25", 8


def chosen(analysis: AnalysisFolder) -> HintPlan | None:
    """Return the plan with the reader's hint points, the automatic ones to begin with; None without any."""
    plan = grouped(analysis, DEFAULT_CLUSTERS)
    hints = state.get().lesson.settings.get("hints", plan.hint_points)
    return plan.with_hint_points(hints, why="chosen in the lesson") if hints else None


def figure(analysis: AnalysisFolder) -> None:
    """Draw the strip of layers to choose from, and what the chosen ones cover."""
    _, tie = control("hints", list(grouped(analysis, DEFAULT_CLUSTERS).hint_points))
    names = [layer.name for layer in analysis.layers]
    st.pills(
        "Hint points: click to add or remove",
        names,
        selection_mode="multi",
        width="stretch",
        format_func=lambda name: name.removeprefix("layer"),
        **tie,
    )
    plan = chosen(analysis)
    if plan is None:
        caption("Choose at least one layer.")
        return
    similarity = cached.similarity(analysis, plan.metric, None)
    view = current.drawn(similarity, plan)
    report = covered(analysis, plan.hint_points)
    stands_for = nearest_hint(np.asarray(view.similarity), view.hints).tolist()
    bars = cover_bars(view, stands_for, average=report.value, dark=dark())
    draw(bars, "lesson-cover", "Similarity of every layer to its nearest hint point")
    caption("How alike each layer is to its nearest hint point, in that one's colour; hint points are bold.")
    automatic = covered(analysis, grouped(analysis, report.count).hint_points)
    low, high = report.random_interval
    with st.container(horizontal=True, gap="medium", key="lesson-compared"):
        st.metric("yours", f"{report.value:.3f}", width="content")
        st.metric(f"automatic, K = {report.count}", f"{automatic.value:.3f}", width="content")
        st.metric(
            "random",
            f"{report.random_mean:.3f}",
            help=f"90 % lie between {low:.3f} and {high:.3f}.",
            width="content",
        )
        st.metric(
            "best possible" if report.best_exact else "best found", f"{report.best:.3f}", width="content"
        )


def covered(analysis: AnalysisFolder, hints: tuple[str, ...]) -> CoverageReport:
    """Return what hint points cover, beside the best and random ones."""
    similarity = cached.similarity(analysis, grouped(analysis, DEFAULT_CLUSTERS).metric, None)
    return coverage_report(similarity.values, similarity.layers, hints)


def answer(analysis: AnalysisFolder) -> Answer:
    """Return whether three layers can cover more than the automatic ones."""
    plan = grouped(analysis, DEFAULT_CLUSTERS)
    report = covered(analysis, plan.hint_points)
    better = report.best - report.value > 1e-9
    low, high = report.random_interval
    return Answer(
        OPTIONS[0] if better else OPTIONS[1],
        f"The three automatic layers cover {report.value:.3f}, the best possible ones, "
        f"{', '.join(report.best_layers)}, {report.best:.3f}, and nine of ten random choices lie between "
        f"{low:.3f} and {high:.3f}. The rule starts evenly and moves to the middle of each group; it never "
        "asks about coverage. And step 6 showed that covering more need not teach more. Train a student and "
        "see.",
    )


def train(analysis: AnalysisFolder) -> None:
    """Draw the ways on: train a student now, or take the plan to the Distill page."""
    plan, mine = chosen(analysis), state.get()
    if plan is None:
        return
    known = {card.spec: card for card in analysis.students}
    points = several(len(plan.hint_points), "hint point")
    with st.container(border=True, key="lesson-train"):
        st.markdown(f"**Train a student with your {points}**")
        st.caption(f"A tiny ResNet-8, {EPOCHS} epochs on the digits: about half a minute. It runs by itself.")
        with st.container(horizontal=True):
            look = {"type": "primary", "icon": ":material/play_arrow:"}
            if st.button("Start distillation", key=f"lesson-start-{mine.ticket}", **look):
                student = known[STUDENT]
                recipe = replace(
                    Recipe(),
                    student=STUDENT,
                    epochs=EPOCHS,
                    learning_rate=0.1,
                    threads=1,
                    name="from the lesson",
                )
                pairs = default_pairs(plan.hint_points, plan.layers, student.layers)
                wanted = launch.settings(recipe, plan, student, pairs)
                run = mine.launch(mine.ticket, lambda: launch.start(wanted))
                st.switch_page("../pages/runs.py", query_params={"run": run})
            if st.button("Take the plan to Distill", key="lesson-take"):
                take(analysis, plan)
                st.switch_page("../pages/distill.py")


def take(analysis: AnalysisFolder, plan: HintPlan) -> None:
    """Make the plan the one in force, for the built-in teacher."""
    mine, now = state.get(), current.analysis()
    if now is None or now.card.teacher.hash != plan.teacher.hash:
        mine.open_teacher(analysis)
    mine.adopt(plan)


STEP = Step(
    title="Your turn",
    text=(
        "Choose hint points yourself. Below are all 27 layers, in the order of depth; the automatic "
        "choice is marked to begin with. *Coverage*, the dashed line, is the mean similarity of a layer "
        "to its nearest hint point. It never falls with one more point, so compare equal numbers. Try "
        "one of each stage, or three in a row, or the ends."
    ),
    figure=figure,
    question=Question("Can three layers cover more than the three automatic ones?", OPTIONS),
    answer=answer,
    explained=("coverage",),
    after=train,
)
