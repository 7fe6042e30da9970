"""Two buttons that save a figure as the browser shows it, as PNG and as SVG; the server is not asked."""

from __future__ import annotations

from app.drawing.drawing import register

_component = register(
    "figure_snapshot",
    html=["snapshot/snapshot.html"],
    css=["snapshot/snapshot.css"],
    js=["snapshot/snapshot.js"],
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
