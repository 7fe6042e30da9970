"""Step 4: one layer stands for its group."""

from __future__ import annotations

import streamlit as st

from app import cached, current
from app.chrome import dark, draw
from app.lesson.step import Answer, Question, Step, caption, control
from app.lesson.why_layers_group import grouped
from pursuhint.analysis import AnalysisFolder
from pursuhint.figures import stand_in_bars
from pursuhint.hints import DEFAULT_CLUSTERS
from pursuhint.lesson import stand_in_scores
from pursuhint.plan import HintPlan

OPTIONS = ("The first one", "One in between", "The last one")


def largest(plan: HintPlan) -> int:
    """Return the number of the largest cluster."""
    return max(range(len(plan.clusters)), key=lambda number: len(plan.clusters[number]))


def figure(analysis: AnalysisFolder) -> None:
    """Draw how alike the layers of a group are to the one that stands for them."""
    plan = grouped(analysis, DEFAULT_CLUSTERS)
    similarity = cached.similarity(analysis, plan.metric, None)
    names = plan.clusters[largest(plan)]
    chosen, tie = control("stand-in", names[0])
    st.select_slider("The layer that stands for the group", names, **tie)
    view = current.drawn(similarity, plan)
    members = [similarity.layers.index(name) for name in names]
    values = similarity.values[similarity.layers.index(chosen), members].tolist()
    labels = [view.labels[member] for member in members]
    look = {"colour": view.colour(members[0]), "dark": dark()}
    bars = stand_in_bars(labels, values, chosen=names.index(chosen), **look)
    draw(bars, "lesson-resemblance", f"Similarity of the layers of a group to {chosen}")
    caption(f"The largest of the three groups; each bar is a layer's R²-CCA similarity to **{chosen}**.")


def answer(analysis: AnalysisFolder) -> Answer:
    """Return which layer stands best for its group."""
    plan = grouped(analysis, DEFAULT_CLUSTERS)
    similarity, number = cached.similarity(analysis, plan.metric, None), largest(plan)
    names = plan.clusters[number]
    scores = stand_in_scores(similarity.values, [similarity.layers.index(name) for name in names])
    of = dict(zip(names, scores.tolist(), strict=True))
    medoid, centre = max(of, key=of.__getitem__), plan.centres[number]
    place = 0 if medoid == names[0] else 2 if medoid == names[-1] else 1
    return Answer(
        OPTIONS[place],
        f"**{medoid}**: the others resemble it by {of[medoid]:.3f} on average, the first layer by "
        f"{of[names[0]]:.3f} and the last by {of[names[-1]]:.3f}. Such a layer is called the *medoid*. A "
        "layer at the edge already resembles the next group. The published rule takes a short cut: the "
        f"layer in the middle of the group's depth, here **{centre}** with {of[centre]:.3f}. The k-medoids "
        "method of this app takes the medoid itself.",
    )


STEP = Step(
    title="Why the centre",
    text=(
        "A student is much shallower than its teacher, so it cannot imitate every layer. It gets one "
        "layer of each group to imitate: a *hint point*. Which one? The layers of a group hold much the "
        "same, so the best choice is the one that says most about all the others.\n\nLet one layer after "
        "the other stand for the group, and watch the dashed line: the mean similarity of the others to "
        "it."
    ),
    figure=figure,
    question=Question("Which layer stands best for its group?", OPTIONS),
    answer=answer,
    explained=("medoid", "coverage"),
)
