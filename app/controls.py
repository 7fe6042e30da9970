"""Widgets that set metric, method and number of clusters; their values live in the state."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import cached, downloads, state
from app.bound import bound
from app.chrome import dark, draw
from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import METHODS, PRESETS, Method, Preset, suggested_clusters
from pursuhint.errors import InputError
from pursuhint.hints import DEFAULT_METHOD
from pursuhint.similarity import METRICS, Metric, metrics_of

BARS = "hints-silhouette"
CHOICE = 300
"""Width of a choice with its note, in pixels: two of them and K stand side by side on a wide screen."""
FEWEST = 200
"""Probe images below which no part of them is offered."""


def metric(page: str, analysis: AnalysisFolder) -> None:
    """Draw the choice of the metric, of those that the analysis allows."""
    mine = state.get()
    tie = bound(f"{page}-metric", mine.choice.metric, lambda name: mine.choose(metric=name))
    allowed = metrics_of(analysis.card.pooling)
    _one_of("Metric", {name: METRICS[name] for name in allowed}, tie)


def method(page: str) -> None:
    """Draw the choice of the clustering method, or of a preset to compare it with."""
    mine = state.get()
    tie = bound(f"{page}-method", mine.choice.method, lambda name: mine.choose(method=name))
    presets = {name: preset for name, preset in PRESETS.items() if name != "manual"}
    _one_of("Method", METHODS | presets, tie)


def _one_of(label: str, known: Mapping[str, Metric | Method | Preset], tie: dict) -> None:
    """Draw a list, which stays as wide with ten entries as with three; below it what the chosen one does."""
    with st.container(width=CHOICE, gap="xsmall"):
        chosen = st.selectbox(label, list(known), format_func=lambda name: known[name].title, **tie)
        st.caption(known[chosen].note)


def samples(page: str, analysis: AnalysisFolder) -> None:
    """Draw the choice of how many probe images count; the first ones hold each class in proportion."""
    mine, most = state.get(), analysis.card.samples
    tie = bound(
        f"{page}-samples",
        mine.choice.samples or most,
        lambda count: mine.choose(samples=None if count == most else count),
    )
    known = sample_counts(most, mine.choice.samples)
    note = "Fewer images are noisier: see whether the picture stays. More need a new analysis."
    st.segmented_control("Probe images", known, required=True, format_func="{:,}".format, help=note, **tie)


def sample_counts(most: int, chosen: int | None) -> list[int]:
    """Return the numbers of probe images that are offered, the chosen one among them.

    Example:
        >>> sample_counts(1000, None), sample_counts(300, 60)
        ([250, 500, 1000], [60, 300])
    """
    parts = (count for count in (most // 10, most // 4, most // 2) if count >= FEWEST)
    return sorted({*parts, most, chosen or most})


def clusters(page: str, most: int) -> None:
    """Draw the choice of K.

    The widget knows no limits: it would turn red without a word.
    """
    mine = state.get()
    tie = bound(f"{page}-clusters", min(mine.choice.clusters, most), lambda k: take_clusters(k, most))
    preset = PRESETS.get(mine.choice.method)
    follows = preset is not None and not preset.takes_clusters
    note = "It follows from the method." if follows else "One hint point each."
    st.number_input("Clusters K", step=1, width=120, help=note, disabled=follows, **tie)


def take_clusters(clusters: int, most: int) -> None:
    """Choose K.

    Raises:
        InputError: there are fewer layers; the former K stays.
    """
    if not 1 <= clusters <= most:
        raise InputError(f"K must lie between 1 and {most}, the layers there are to group; found {clusters}")
    state.get().choose(clusters=clusters)


def silhouettes(analysis: AnalysisFolder) -> None:
    """Draw the silhouette over K; a click on a bar chooses that K."""
    choice = state.get().choice
    method = choice.method if choice.method in METHODS else DEFAULT_METHOD
    asked = (analysis, choice.metric, method, choice.samples)
    curve = cached.silhouettes(*asked)
    if not curve:
        st.caption(
            "A silhouette needs at least two clusters, and more layers than clusters: here are too few."
        )
        return
    figure = cached.silhouette_figure(*asked, chosen=choice.clusters, dark=dark())
    alt = "Mean silhouette for each number of clusters"
    draw(figure, BARS, alt, on_select=_bar_clicked, selection_mode="points")
    table = pd.DataFrame({"clusters": list(curve), "silhouette": list(curve.values())})
    name = f"silhouette-{choice.metric}-{method}"
    downloads.offer("silhouette", name, figure=figure, picture=BARS, table=table)
    best, title = suggested_clusters(curve), METHODS[method].title
    st.caption(f"{title}'s clusters stand apart best with K = {best}; the paper takes 3 on CIFAR.")


def _bar_clicked() -> None:
    points = st.session_state[BARS]["selection"]["points"]
    if points:
        state.get().choose(clusters=int(points[0]["customdata"][0]))
