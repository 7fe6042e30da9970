"""The live curves of a run, for an element that keeps its place while data arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pursuhint.runs import History
from pursuhint.view import COLOURS

FACTORS = {"cls": "γ", "logit": "α", "hint": "β"}
TERMS = {term: f"{factor}·L_{term}" for term, factor in FACTORS.items()}
TOTAL = "total"
GRID = {"left": 8, "right": 16, "bottom": 8, "containLabel": True}
HEIGHT = 320
MUTED = "#868ca0"
"""Grey that can be read on a light and on a dark page."""


def weights(settled: Mapping[str, float], schedules: Mapping[str, str]) -> str:
    """Write the weights that a run settled on, part by part.

    Args:
        settled: part -> weight.
        schedules: term -> how its weight changes from there.

    Example:
        >>> weights({"cls": 1.0, "hint:at": 812.34, "hint:crd": 0.8}, {"hint": "decay"})
        'γ = 1 · β (at) = 812.3, decay · β (crd) = 0.8, decay'
    """
    words = []
    for part, weight in settled.items():
        term, _, loss = part.partition(":")
        schedule = schedules.get(term, "constant")
        name = f"{FACTORS[term]}{f' ({loss})' if loss else ''}"
        words.append(f"{name} = {weight:.4g}{f', {schedule}' if schedule != 'constant' else ''}")
    return " · ".join(words)


def losses(history: History, epochs: int) -> dict[str, Any]:
    """Describe the total and the weighted terms over epochs."""
    rows = pd.DataFrame(
        [{"epoch": step["epoch"], TOTAL: step["total"]} | _named(step["weighted"]) for step in history.steps]
    )
    names = [name for name in rows.columns if name != "epoch"]
    colours = dict(zip([TOTAL, *TERMS.values()], (MUTED, *COLOURS.values()), strict=False))
    series = [_line(name, colours[name], width=2.5 if name == TOTAL else 1.8) for name in names]
    return _chart(rows, series, epochs, {"type": "value", "min": 0}, top=34)


def accuracies(history: History, epochs: int, teacher: float | None, accent: str) -> dict[str, Any]:
    """Describe the validation accuracy over epochs, with a line for the teacher."""
    name = "validation accuracy"
    values = [100 * epoch["validation_accuracy"] for epoch in history.epochs]
    rows = pd.DataFrame({"epoch": [epoch["epoch"] for epoch in history.epochs], name: values})
    line = _line(name, accent, width=2.5) | {"showSymbol": len(values) < 2, "smooth": False}
    marks = [100 * teacher] if teacher is not None else []
    if marks:
        label = {"formatter": f"teacher {marks[0]:.2f} %", "position": "insideEndTop", "color": MUTED}
        style = {"type": "dashed", "color": MUTED, "width": 1.2}
        data = [{"yAxis": marks[0], "label": label, "lineStyle": style}]
        line["markLine"] = {"silent": True, "symbol": "none", "animation": False, "data": data}
    low, high = min([*values, *marks], default=0), max([*values, *marks], default=100)
    axis = {"type": "value", "min": 5 * int(max(0, low - 1) // 5), "max": min(100, 5 * int((high + 6) // 5))}
    axis["axisLabel"] = {"formatter": "{value} %"}
    return _chart(rows, [line], epochs, axis, top=16, legend=False)


def _named(weighted: dict[str, float]) -> dict[str, float]:
    return {TERMS[term]: value for term, value in weighted.items()}


def _line(name: str, colour: str, *, width: float) -> dict[str, Any]:
    look = {"lineStyle": {"width": width, "color": colour}, "itemStyle": {"color": colour}}
    return {"type": "line", "name": name, "showSymbol": False, "encode": {"x": "epoch", "y": name}, **look}


def _chart(
    rows: pd.DataFrame,
    series: list[dict[str, Any]],
    epochs: int,
    axis: dict[str, Any],
    *,
    top: int,
    legend: bool = True,
) -> dict[str, Any]:
    return {
        "animation": False,
        "dataset": {"source": rows},
        "grid": GRID | {"top": top},
        "legend": {
            "show": legend,
            "left": 0,
            "top": 0,
            "icon": "roundRect",
            "itemWidth": 12,
            "itemHeight": 12,
        },
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "min": 0, "max": epochs, "splitLine": {"show": False}},
        "yAxis": axis,
        "series": series,
    }


def draw(spec: dict[str, Any], key: str, alt: str, *, live: bool) -> None:
    """Draw a chart that keeps its element when it is drawn again.

    On a canvas while data arrives, which is quicker; then as shapes, which can be saved as SVG.
    """
    st.echarts_chart(spec, key=key, alt=alt, height=HEIGHT, renderer="canvas" if live else "svg")


def draw_nothing(why: str) -> None:
    """Hold the place of a chart that has nothing to show yet."""
    middle = {"horizontal_alignment": "center", "vertical_alignment": "center"}
    with st.container(height=HEIGHT, border=False, **middle):
        st.caption(why, width="content")
