"""Step 3: layers fall into groups, which need not be the stages."""

from __future__ import annotations

import streamlit as st

from app import cached, current
from app.chrome import dark, draw_square, several
from app.lesson.step import Answer, Question, Step, caption, control
from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import suggested_clusters
from pursuhint.figures import heatmap, outline_groups
from pursuhint.hints import DEFAULT_CLUSTERS, DEFAULT_METHOD, DEFAULT_METRIC
from pursuhint.plan import HintPlan

COUNTS = range(2, 7)
OPTIONS = ("Yes, exactly them", "No, a group reaches across stages")


def grouped(analysis: AnalysisFolder, clusters: int) -> HintPlan:
    """Return the automatic plan of so many clusters."""
    return cached.plan(analysis, DEFAULT_METRIC, DEFAULT_METHOD, clusters, None)


def figure(analysis: AnalysisFolder) -> None:
    """Draw the similarity of all pairs with the clusters beside it."""
    clusters, tie = control("clusters", 4)
    st.segmented_control("Groups K", COUNTS, required=True, **tie)
    plan = grouped(analysis, clusters)
    similarity = cached.similarity(analysis, plan.metric, None)
    view = current.drawn(similarity, plan, order="depth", described=analysis.layers)
    alt = f"Similarity of all pairs of layers, in {clusters} groups"
    draw_square(outline_groups(heatmap(view, dark=dark()), view, dark=dark()), "lesson-matrix", alt)
    caption("R²-CCA of every pair, in the order of depth. Frames and strip: the groups; bold: their centres.")


def answer(analysis: AnalysisFolder) -> Answer:
    """Return whether the groups are the stages."""
    plan = grouped(analysis, DEFAULT_CLUSTERS)
    stage = {layer.name: layer.stage for layer in analysis.layers}
    stages = [sorted({stage[name] + 1 for name in cluster}) for cluster in plan.clusters]
    across = any(len(found) > 1 for found in stages)
    parts = "; ".join(
        f"{several(len(cluster), 'layer')} of stage {' and '.join(map(str, found))}"
        for cluster, found in zip(plan.clusters, stages, strict=True)
    )
    curve = cached.silhouettes(analysis, plan.metric, plan.method, None)
    return Answer(
        OPTIONS[across],
        f"The groups are: {parts}. What layers compute changes a little before or after the places where "
        "the picture is halved. And **layer1.4** lands far from its neighbours: it is about equally "
        "unlike all three centres, so a trifle decides. No K is right: the silhouette, which says how "
        f"far groups stand apart (1 at best), is {curve[3]:.2f} for K = 3, {curve[4]:.2f} for K = 4 and "
        f"largest for K = {suggested_clusters(curve)} with {max(curve.values()):.2f}. The paper takes 3 "
        "for small pictures.",
    )


STEP = Step(
    title="Why layers group",
    text=(
        "Compare every layer with every other one. The numbers fill a square; the nearer a colour is to "
        "that of the diagonal, the more alike two layers are. Neighbours are alike, since a block of "
        "such a network adds only a little to what it receives. But the likeness does not fade evenly: "
        "there are squares along the diagonal whose layers are all alike, and edges where something new "
        "begins.\n\n*Clustering* draws a line around such squares. The rule of PURSUhInT starts with K "
        "layers evenly spaced, lets every layer join the one it is most similar to, moves to the middle "
        "of each group, and repeats."
    ),
    figure=figure,
    question=Question(
        "The network was built in three stages: blocks 1.x, 2.x and 3.x. With K = 3, does the rule find "
        "them?",
        OPTIONS,
    ),
    answer=answer,
    explained=("pursuhint", "silhouette"),
)
