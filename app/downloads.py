"""Files that a page hands out: one small menu in the corner of each card that shows a figure or a table.

Pictures are made by the browser; everything else is made when its button is pressed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.chrome import dark
from app.snapshot.snapshot import snapshot
from pursuhint.figures import figure_page
from pursuhint.plan import HintPlan
from pursuhint.runs import RunFolder

CORNER = """<style>
[class*="st-key-files-"] {position: absolute; top: 0.55rem; right: 0.7rem; width: auto; z-index: 1}
[class*="st-key-files-"] button[data-testid="stPopoverButton"] {min-height: 2rem; padding: 0 0.4rem}
[data-testid="stVerticalBlock"]:has(> * > [class*="st-key-files-"]) {position: relative}
[data-testid="stVerticalBlock"]:has(> * > [class*="st-key-files-"]) > :first-child {padding-right: 3rem}
</style>"""
"""Puts the menu into the corner of its card, wherever in the card it was asked for."""


class Saved(Protocol):
    """A result that writes itself to a file."""

    def save(self, path: Path) -> None:
        """Write it."""


def offer(
    key: str,
    name: str,
    *,
    figure: go.Figure | None = None,
    picture: str = "",
    part: str = "",
    table: pd.DataFrame | None = None,
    index: bool = False,
    arrays: Saved | None = None,
) -> None:
    """Draw the menu of a card.

    Args:
        key: of the menu, one of its own for each card of a page.
        name: of the files, without their endings.
        figure: what is shown, to be offered as a page of HTML that opens offline.
        picture: key of the element whose drawing is offered as PNG and SVG.
        part: selector of what is saved of a drawing of our own.
        table: rows to be offered as CSV.
        index: whether the names of its rows go with it.
        arrays: what is offered as NPZ.
    """
    name, drawn_dark = _file_name(name), dark()
    st.html(CORNER)
    with (
        st.container(key=f"files-{key}", width="content"),
        st.popover(":material/download:", type="tertiary", help="Download", width="content"),
    ):
        if picture:
            snapshot(picture, name, part=part, key=f"snapshot-{key}")
        if figure is not None:
            page = lambda: figure_page(figure, title=name, dark=drawn_dark)  # noqa: E731
            _button("HTML", page, f"{name}.html", "text/html", key, "Opens in any browser, also offline.")
        if table is not None:
            _button("CSV", lambda: _csv(table, index), f"{name}.csv", "text/csv", key)
        if arrays is not None:
            note = "For NumPy: the numbers in full, with the names of the layers."
            _button("NPZ", lambda: written(arrays), f"{name}.npz", "application/zip", key, note)


def drawing(key: str, name: str, parts: Mapping[str, str], figure: Callable[[], go.Figure]) -> None:
    """Draw a menu beside other buttons, with the parts of a drawing of our own.

    Args:
        key: of the drawing.
        name: of the files, without their endings.
        parts: what a part is -> its selector.
        figure: makes the same as a figure, to be offered as HTML.
    """
    name, drawn_dark = _file_name(name), dark()
    with st.popover("Pictures", icon=":material/image:", width="content"):
        for title, selector in parts.items():
            st.caption(title)
            file = f"{name}-{_file_name(title.lower())}"
            snapshot(key, file, part=selector, key=f"snapshot-{key}-{_file_name(title.lower())}")
        page = lambda: figure_page(figure(), title=name, dark=drawn_dark)  # noqa: E731
        _button("HTML", page, f"{name}.html", "text/html", key, "Opens in any browser, also offline.")


def _button(
    label: str, data: Callable[[], str | bytes], name: str, kind: str, key: str, note: str | None = None
) -> None:
    """Draw one entry; what it hands out is made when it is pressed."""
    look = {"on_click": "ignore", "width": "stretch", "help": note}
    st.download_button(label, data, name, kind, key=f"{label.lower()}-{key}", **look)


def _file_name(text: str) -> str:
    """Return a name that every file system takes.

    Example:
        >>> _file_name("zoo:resnet20?width=0.5 – R²-CCA")
        'zoo-resnet20-width-0.5-R-CCA'
    """
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.") or "figure"


def _csv(table: pd.DataFrame, index: bool) -> str:
    """Write a table; lists, which are badges on the page, as words."""
    plain = table.map(lambda cell: ", ".join(map(str, cell)) if isinstance(cell, (list, tuple)) else cell)
    return plain.to_csv(index=index)


def written(result: Saved) -> bytes:
    """Return what a result writes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.npz"
        result.save(path)
        return path.read_bytes()


def plan(plan: Callable[[], HintPlan]) -> None:
    """Offer a plan as the file that `pursuhint distill --plan` reads; `plan` is asked at the click."""
    st.download_button(
        "Plan",
        lambda: plan().model_dump_json(indent=2),
        "plan.json",
        "application/json",
        on_click="ignore",
        icon=":material/download:",
        help="The hint plan as JSON, for `pursuhint distill --plan`.",
    )


def student(run: RunFolder) -> None:
    """Offer the trained student; a network that no teacher taught may become one, which then goes first."""
    taught = run.run_settings.kind == "distill"
    st.download_button(
        "Download student" if taught else "Download",
        run.student.read_bytes,
        f"{run.id}.safetensors",
        "application/octet-stream",
        on_click="ignore",
        type="primary" if taught else "secondary",
        icon=":material/download:",
    )
