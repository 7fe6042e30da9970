"""What all figures look like: colours of a light and of a dark page, no margins, no background."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pursuhint.short_names import fitting_names

TRANSPARENT = "rgba(0,0,0,0)"


@dataclass(frozen=True)
class Theme:
    """The colours that depend on the page.

    ``scale`` runs from 0 to 1, and 1 stands out from the page. ``diverging`` runs from blue (below 0) over
    the colour of the page to orange, which every kind of colour vision tells apart. ``mark`` frames what is
    picked.
    """

    text: str
    muted: str
    line: str
    faint: str
    page: str
    accent: str
    mark: str
    scale: tuple[str, ...]
    diverging: tuple[str, ...]


LIGHT = Theme(
    text="#1b1e2b",
    muted="#70778b",
    line="#9aa0ae",
    faint="#d3d7e4",
    page="#ffffff",
    accent="#4a46c4",
    mark="#c8520a",
    scale=("#f3f4fb", "#dfe3f6", "#cad1f1", "#a5aee6", "#7d84d5", "#5551b5", "#433198", "#2c1868"),
    diverging=("#123a80", "#3b6fd4", "#97b6ec", "#f3f4f8", "#f2b98e", "#d0651f", "#7d3508"),
)
DARK = Theme(
    text="#e9ebf5",
    muted="#9aa0b4",
    line="#70778b",
    faint="#353a4d",
    page="#171a24",
    accent="#8b85f7",
    mark="#ffb070",
    scale=("#1c1f2e", "#272a4f", "#353475", "#4a45a0", "#6762c8", "#8d8ae6", "#b9b8f6", "#f0f0ff"),
    diverging=("#b9d2ff", "#6f9dee", "#2f4f8f", "#20232f", "#83481d", "#dd8244", "#ffd2ac"),
)


def theme_of(dark: bool) -> Theme:
    """Return the colours for a page."""
    return DARK if dark else LIGHT


def hide_axes(figure: go.Figure) -> None:
    """Draw points as a map: no axes, the same scale both ways."""
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")


TICK_LENGTH = 7
WIDEST_NAMES = 180
"""Pixels that names beside a figure may take."""
WIDTH_OF_A_LETTER = 0.65
"""Of a bold one, as a share of its height."""


def room_for(names: Sequence[str]) -> int:
    """Return about how many pixels the names of a `name_axis` take, in bold.

    Example:
        >>> room_for(["layer1.0"]), room_for(["x" * 99])
        (65, 175)
    """
    longest = max(map(len, shown_names(names)), default=0)
    return min(WIDEST_NAMES, TICK_LENGTH + 6 + round(WIDTH_OF_A_LETTER * _name_size(len(names)) * longest))


def shown_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names as a `name_axis` shows them: short ones where the longest does not fit."""
    room = WIDEST_NAMES - TICK_LENGTH - 6
    return fitting_names(names, int(room / (WIDTH_OF_A_LETTER * _name_size(len(names)))))


def name_axis(
    names: Sequence[str], bold: Collection[str] = (), left_out: Collection[str] = ()
) -> dict[str, object]:
    """Describe an axis with one name a place, some of them in bold, those left out in italics."""
    words = [
        f"<b>{shown}</b>" if name in bold else f"<i>{shown}</i>" if name in left_out else shown
        for name, shown in zip(names, shown_names(names), strict=True)
    ]
    return {
        "tickvals": list(range(len(words))),
        "ticktext": words,
        "tickfont": {"size": _name_size(len(words))},
        "showgrid": False,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": TICK_LENGTH,
        "tickcolor": TRANSPARENT,
        "ticklabeloverflow": "allow",  # else plotly measures every name in the page: half of a heatmap's time
    }


def _name_size(count: int) -> int:
    return 10 if count <= 40 else 8


def finish(
    figure: go.Figure, theme: Theme, *, height: int, top: int = 8, showlegend: bool | None = None
) -> go.Figure:
    """Give a figure the looks that all share; without `showlegend`, a legend if a trace asks for one."""
    legend = any(trace.showlegend for trace in figure.data) if showlegend is None else showlegend
    return figure.update_layout(
        template="none",
        height=height,
        margin={"l": 0, "r": 0, "t": top, "b": 0},
        xaxis_automargin=True,
        yaxis_automargin=True,
        paper_bgcolor=TRANSPARENT,
        plot_bgcolor=TRANSPARENT,
        font_color=theme.text,
        showlegend=legend,
        dragmode=False,
    )
