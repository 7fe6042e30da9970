"""Two buttons that save a figure as the browser shows it, as PNG and as SVG; the server is not asked."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

HTML = """<div class="snapshot">
<button type="button" value="png">PNG</button><button type="button" value="svg">SVG</button>
<p class="says" role="status"></p></div>"""


def _read(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


_component = st.components.v2.component(
    "figure_snapshot", html=HTML, css=_read("snapshot.css"), js=_read("snapshot.js")
)


def snapshot(figure: str, name: str, *, part: str = "", key: str) -> None:
    """Draw both buttons.

    Args:
        figure: key of the element that holds the figure.
        name: of the file, without its ending.
        part: selector of what is saved of a drawing of our own; all of it when empty.
        key: of the buttons.
    """
    _component(key=key, data={"figure": figure, "name": name, "part": part})
