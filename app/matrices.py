"""Matrices of one network on the Similarity page: one, or two of other metrics, poolings or images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app import analyses, cached, controls, current, downloads, pair, state
from app.bound import bound
from app.chrome import card, dark, draw_square, short, table_height
from app.explain import explain
from pursuhint.analysis import AnalysisFolder
from pursuhint.analysis.siblings import find_sibling, poolings_of, sibling_settings
from pursuhint.figures import difference_heatmap, heatmap, other_heatmap
from pursuhint.similarity import METRICS, LayerNote, SideBySide, SimilarityMatrix, metrics_of, side_by_side
from pursuhint.view import LayerView, Order

STATUS = {"ok": "green", "few samples": "orange", "rank-deficient": "gray", "constant": "red"}
SAME = "This is the **same matrix** twice: choose another second metric, pooling or number of images."
ALIKE, UNLIKE = 0.9, 0.5
"""Rank correlation from which two matrices count as alike, and below which as unlike."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One matrix of the page: where it comes from and what it is called."""

    analysis: AnalysisFolder
    matrix: SimilarityMatrix

    @property
    def title(self) -> str:
        """The metric for people."""
        return METRICS[self.matrix.metric].title

    @property
    def about(self) -> str:
        """What it was measured on."""
        return f"{self.matrix.samples:,} images, {self.matrix.pooling} pooling"

    @property
    def network(self) -> str:
        """The network's name in files."""
        return short(self.analysis.card.teacher.spec)

    @property
    def file(self) -> str:
        """Name of its files."""
        return f"{self.network}-{self.matrix.metric}"

    def frame(self) -> pd.DataFrame:
        """Return the values with their names."""
        return pd.DataFrame(self.matrix.values, index=self.matrix.layers, columns=self.matrix.layers)


def one(analysis: AnalysisFolder, order: Order) -> None:
    """Draw the matrix of the choice in force, the pair that was clicked, and what is known of each layer."""
    first, view = _first(analysis, order)
    chosen = pair.chosen(view.layers, view.layers, (view.layers[0], view.layers[-1]))
    left, right = st.columns([3, 2])
    with left, card(first.title, f"{first.about}; hint points in bold", fill=True):
        _matrix(first, cached.heatmap(view, picked=chosen, dark=dark()), "heatmap")
        explain(first.matrix.metric, "matrix")
    with right:
        _explain(first, chosen)
    _layers({"": first})


def two(analysis: AnalysisFolder, order: Order) -> None:
    """Draw two matrices of the network, their difference, and the pairs that differ the most."""
    (first, view), second = _first(analysis, order), _second(analysis)
    if second is None:
        with card(first.title, first.about):
            _matrix(first, heatmap(view, clickable=True, dark=dark()), "heatmap")
        return
    compared = side_by_side(first.matrix, second.matrix)
    chosen = pair.chosen(view.layers, view.layers, compared.largest[0].layers)
    look = {"clickable": True, "picked": chosen, "dark": dark()}
    lowest = min(view.scale[0], _lowest(second.matrix))
    left, right = st.columns(2)
    with left, card(f"First: {first.title}", first.about):
        _matrix(first, heatmap(view, bounds=(lowest, 1.0), **look), "heatmap")
    with right, card(f"Second: {second.title}", second.about):
        _matrix(second, other_heatmap(view, second.matrix, bounds=(lowest, 1.0), **look), "heatmap-second")
    left, right = st.columns(2)
    with left, card("Difference", "orange: the second says more alike; blue: less", fill=True):
        _difference(view, compared, first, second, look)
        explain(*dict.fromkeys((first.matrix.metric, second.matrix.metric)), "matrix")
    with right:
        _explain(first, chosen, second)
    _largest(compared, first, second)
    _layers({"first": first, "second": second})


def _first(analysis: AnalysisFolder, order: Order) -> tuple[Shown, LayerView]:
    choice = state.get().choice
    matrix = cached.similarity(analysis, choice.metric, choice.samples)
    return Shown(analysis, matrix), current.view(analysis, current.plan(analysis), order=order)


def _second(analysis: AnalysisFolder) -> Shown | None:
    """Draw what the second matrix is chosen by and return it; None while it is not there."""
    mine, own = state.get(), analysis.card.pooling
    pooling = mine.beside.pooling or own
    allowed = metrics_of(pooling)
    others = [name for name in allowed if name != mine.choice.metric]
    metric = mine.beside.metric if mine.beside.metric in allowed else (others or allowed)[0]
    known = list(dict.fromkeys([own, *poolings_of(analysis.layers)]))
    most = analysis.card.samples
    with st.container(horizontal=True, gap="medium"):
        tie = bound("second-metric", metric, lambda name: mine.compare(metric=name))
        st.selectbox(
            "Second metric", list(allowed), format_func=lambda name: METRICS[name].title, width=300, **tie
        )
        tie = bound("second-pooling", pooling, lambda name: mine.compare(pooling=name))
        st.selectbox("Its pooling", known, width=160, help="How a feature map becomes a row.", **tie)
        counts = controls.sample_counts(most, mine.beside.samples)
        tie = bound(
            "second-samples",
            mine.beside.samples or most,
            lambda count: mine.compare(samples=None if count == most else count),
        )
        st.segmented_control("Its probe images", counts, required=True, format_func="{:,}".format, **tie)
    source = analysis if pooling == own else find_sibling(analysis, pooling)
    if source is not None:
        source = cached.analysis(source.path)
    else:
        source = analyses.wanted(
            sibling_settings(analysis, pooling),
            f"{short(analysis.card.teacher.spec)}, {pooling} pooling",
            ask="Compute it",
            why=f"The pooling `{pooling}` is not there yet: it takes one more pass of the {most:,} probe "
            "images through the teacher, in a process of its own.",
            key="pooling",
        )
    return source and Shown(source, cached.similarity(source, metric, mine.beside.samples))


def _matrix(shown: Shown, figure, key: str) -> None:
    alt = f"Heatmap of the {shown.title} similarity of {len(shown.matrix.layers)} layers, {shown.about}"
    draw_square(figure, key, alt, **pair.picked(key))
    blind = ", ".join(sorted(METRICS[shown.matrix.metric].invariances))
    st.caption(f"{shown.title} is blind to: {blind}.")
    files = {"figure": figure, "picture": key, "table": shown.frame(), "index": True}
    downloads.offer(key, shown.file, arrays=shown.matrix, **files)


def _difference(view: LayerView, compared: SideBySide, first: Shown, second: Shown, look: Mapping) -> None:
    key = "heatmap-difference"
    figure = difference_heatmap(view, compared, names=_names(first, second), **look)
    draw_square(figure, key, "Heatmap of the second matrix less the first one", **pair.picked(key))
    st.markdown(_agreement(compared) if _apart(first, second) else SAME)
    frame = pd.DataFrame(compared.difference, index=compared.layers, columns=compared.layers)
    file = f"{_both(first, second)}-difference"
    downloads.offer(key, file, figure=figure, picture=key, table=frame, index=True)


def _apart(first: Shown, second: Shown) -> list[str]:
    """Return in what two matrices differ."""
    kinds = ("metric", "pooling", "samples")
    return [kind for kind in kinds if getattr(first.matrix, kind) != getattr(second.matrix, kind)]


def _names(first: Shown, second: Shown) -> tuple[str, str]:
    """Name two matrices for people: by their metrics, or by what else tells them apart."""
    apart = _apart(first, second)
    if "metric" in apart:
        return first.title, second.title
    words = {"pooling": "{0.pooling} pooling", "samples": "{0.samples:,} images"}
    return tuple(
        ", ".join([one.title, *(words[kind].format(one.matrix) for kind in apart)]) for one in (first, second)
    )


def _both(first: Shown, second: Shown) -> str:
    """Name the files of two matrices: by their metrics, and by what else tells them apart."""
    known = dict.fromkeys(["metric", *_apart(first, second)])
    sides = ["-".join(str(getattr(one.matrix, kind)) for kind in known) for one in (first, second)]
    return f"{first.network}-{'-vs-'.join(sides)}"


def _lowest(matrix: SimilarityMatrix) -> float:
    return float(matrix.values.min() * 10 // 1) / 10


def _explain(first: Shown, chosen: tuple[str, str], second: Shown | None = None) -> None:
    layers, matrix = first.matrix.layers, first.matrix
    about = {layer.name: layer for layer in first.analysis.layers}
    sides = tuple(("", about.get(name), matrix.notes.get(name)) for name in chosen)
    samples = state.get().choice.samples
    other = ""
    if second and all(name in second.matrix.layers for name in chosen):
        value = second.frame().loc[chosen[0], chosen[1]]
        other = f"In the second matrix ({second.title}, {second.about}) it is {value:.3f}."
    pair.explain(
        layers,
        layers,
        chosen,
        lambda: cached.pair(first.analysis, matrix.metric, samples, chosen),
        sides,
        first.file,
        other=other,
    )


def _agreement(compared: SideBySide) -> str:
    """Say how alike two matrices are."""
    found = compared.rank_correlation
    if found is None:
        return "One of the two puts all pairs alike: there is no order to compare."
    word = "almost the same" if found >= ALIKE else "a different" if found < UNLIKE else "a similar"
    return (
        f"**{found:.3f}** rank correlation of the pairs (1 = the same order): the two tell **{word}** story. "
        "Scales of metrics differ: look for where the difference stands out, not for its size."
    )


def _largest(compared: SideBySide, first: Shown, second: Shown) -> None:
    """List the pairs that differ the most."""
    with card("The pairs that differ the most", f"of {len(compared.layers)} layers that both hold"):
        table = pd.DataFrame(
            {
                "layer": [one.layers[0] for one in compared.largest],
                "and layer": [one.layers[1] for one in compared.largest],
                f"first: {first.title}": [one.first for one in compared.largest],
                f"second: {second.title}": [one.second for one in compared.largest],
                "difference": [one.change for one in compared.largest],
            }
        )
        form = {name: st.column_config.NumberColumn(format="%.3f") for name in table.columns[2:4]}
        form["difference"] = st.column_config.NumberColumn(format="%+.3f")
        st.dataframe(table, hide_index=True, height="content", column_config=form, key="largest-differences")
        downloads.offer("largest", f"{_both(first, second)}-largest-differences", table=table)


def _layers(shown: Mapping[str, Shown]) -> None:
    """List how far each layer's row can be trusted, in either matrix."""
    with card("Layer by layer", "how far its row can be trusted"):
        tables = []
        for which, one in shown.items():
            table = layer_table(one.matrix.notes)
            if which:
                table.insert(0, "matrix", which)
            tables.append(table)
        draw_layers(pd.concat(tables), next(iter(shown.values())).file)


def layer_table(notes: Mapping[str, LayerNote]) -> pd.DataFrame:
    """Return what is known of each layer's row."""
    return pd.DataFrame(
        {
            "layer": list(notes),
            "status": [[note.status] for note in notes.values()],
            "width": [note.width for note in notes.values()],
            "rank": [note.effective_rank for note in notes.values()],
            "images / width": [note.samples_per_feature for note in notes.values()],
            "note": [note.text for note in notes.values()],
        }
    )


def draw_layers(table: pd.DataFrame, file: str) -> None:
    """Draw such a table, with its file."""
    columns = {
        "status": st.column_config.MultiselectColumn(options=list(STATUS), color=list(STATUS.values())),
        "rank": st.column_config.NumberColumn(help="Directions in which the features vary."),
        "images / width": st.column_config.NumberColumn(
            format="%.1f", help="N / width: below 10, CCA and regression read too high."
        ),
    }
    height = 390 if table_height(len(table)) == "stretch" else "content"
    st.dataframe(table, hide_index=True, height=height, column_config=columns, key="layer-notes")
    downloads.offer("layers", f"{file}-layers", table=table)
    explain("layer notes")
