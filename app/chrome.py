"""What pages share: heading, words for numbers, the page without a teacher."""

from __future__ import annotations

from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import current, failures
from app.words import plain
from pursuhint.analysis import AnalysisFolder
from pursuhint.errors import PursuhintError

FONT = '"Source Sans", sans-serif'
"""The font of the pages, for figures."""


def header(title: str, caption: str) -> DeltaGenerator:
    """Write a page's title and what it is about; returns the place of its buttons, to the right."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch", gap=None):
            st.title(plain(title), anchor=False)
            st.caption(caption)
        return st.container(horizontal=True, width="content", gap="small", vertical_alignment="bottom")


def card(title: str, aside: str = "", *, fill: bool = False) -> DeltaGenerator:
    """Open a bordered box with a heading and a remark beside it; `fill` takes what height is left."""
    box = st.container(border=True, height="stretch" if fill else "content")
    box.markdown(f"**{title}**" + (f"&ensp;:gray[:small[{aside}]]" if aside else ""))
    return box


def folded(title: str, key: str, icon: str) -> DeltaGenerator | None:
    """Draw a box that is folded away; returns it where it is open: what nobody looks at is not made."""
    box = st.expander(title, key=f"fold-{key}", icon=icon, on_change="rerun")
    return box if box.open else None


def metric(label: str, value: str, note: str) -> None:
    """Draw a figure in a box, with a line that explains it."""
    with st.container(border=True, height="stretch", gap=None):
        st.metric(label, value)
        st.caption(note)


def draw(figure: go.Figure, key: str, alt: str, **more: Any) -> None:
    """Draw a plotly figure in the page's font; `more` goes to `st.plotly_chart`."""
    if figure.layout.font.family != FONT:  # a figure that is kept for all visitors has it already
        figure.update_layout(font_family=FONT, hoverlabel_font_family=FONT)
    config = {"displayModeBar": False, "scrollZoom": False}
    st.plotly_chart(figure, theme=None, config=config, key=key, alt=alt, **more)


def draw_square(figure: go.Figure, key: str, alt: str, **more: Any) -> None:
    """Draw a figure as high as it is wide, on any screen; plotly alone knows only a fixed height."""
    frame = f"{key}-frame"
    st.html(
        f"<style>.st-key-{frame} {{aspect-ratio: 1; max-height: 80vh}}"
        # no higher in a card that fills its row: it would be drawn once more, with empty bands
        f" [data-testid=stLayoutWrapper]:has(> .st-key-{frame}) {{flex: none}}</style>"
    )
    if figure.layout.height is not None:
        figure.update_layout(height=None)
    with st.container(key=frame, height="stretch"):
        draw(figure, key, alt, height="stretch", **more)


def table_height(rows: int) -> Literal["content", "stretch"]:
    """Return the height of a table: its own when that is small, else what its box has left."""
    return "content" if rows <= 15 else "stretch"


def require_teacher(title: str) -> AnalysisFolder:
    """Return the current analysis; without one that can be read the page says where to get one and ends."""
    problem, found = "", None
    try:
        found = current.analysis()
    except PursuhintError as error:
        problem = str(error)
    if found is None:
        header(title, "The analysis cannot be read" if problem else "No teacher yet")
        if problem:
            failures.show(problem)
        with st.container(border=True):
            st.markdown("**This page needs an analysed teacher.**")
            st.caption("Name a network, its checkpoint and its data; the analysis takes about a minute.")
            st.page_link("../pages/teacher.py", label="Go to Teacher →")
        st.stop()
    return found


def dark() -> bool:
    """Say whether the page is dark."""
    return st.context.theme.type == "dark"


def short(spec: str) -> str:
    """Return a network's name without its source.

    Example:
        >>> short("zoo:resnet20?width=0.5"), short("resnet20")
        ('resnet20?width=0.5', 'resnet20')
    """
    return spec.partition(":")[2] or spec


def count(number: int) -> str:
    """Write a large number in short.

    Example:
        >>> count(853018), count(64_300), count(512), count(25_557_032), count(8_178_368_512)
        ('0.85 M', '64.3 k', '512', '25.56 M', '8.18 G')
    """
    if number < 1000:
        return str(number)
    if number < 100_000:
        return f"{number / 1e3:.1f} k"
    return f"{number / 1e6:.2f} M" if number < 1e9 else f"{number / 1e9:.2f} G"


def percent(share: float | None) -> str:
    """Write a share as per cent.

    Example:
        >>> percent(0.93391), percent(None)
        ('93.39 %', '–')
    """
    return "–" if share is None else f"{100 * share:.2f} %"


def shape(sizes: tuple[int, ...]) -> str:
    """Write the shape of a layer's output.

    Example:
        >>> shape((64, 8, 8))
        '64 × 8 × 8'
    """
    return " × ".join(map(str, sizes))


def several(number: int, noun: str) -> str:
    """Write a number with its noun.

    Example:
        >>> several(1, "layer"), several(3, "layer")
        ('1 layer', '3 layers')
    """
    return f"{number:,} {noun}" + "s" * (number != 1)
