"""What all figures look like: colours of a light and of a dark page, no margins, no background."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

TRANSPARENT = "rgba(0,0,0,0)"


@dataclass(frozen=True)
class Theme:
    """The colours that depend on the page: ``scale`` runs from 0 to 1, and 1 stands out from the page."""

    text: str
    muted: str
    line: str
    faint: str
    page: str
    accent: str
    scale: tuple[str, ...]


LIGHT = Theme(
    text="#1b1e2b",
    muted="#70778b",
    line="#9aa0ae",
    faint="#d3d7e4",
    page="#ffffff",
    accent="#4a46c4",
    scale=("#f3f4fb", "#dfe3f6", "#cad1f1", "#a5aee6", "#7d84d5", "#5551b5", "#433198", "#2c1868"),
)
DARK = Theme(
    text="#e9ebf5",
    muted="#9aa0b4",
    line="#70778b",
    faint="#353a4d",
    page="#171a24",
    accent="#8b85f7",
    scale=("#1c1f2e", "#272a4f", "#353475", "#4a45a0", "#6762c8", "#8d8ae6", "#b9b8f6", "#f0f0ff"),
)


def theme_of(dark: bool) -> Theme:
    """Return the colours for a page."""
    return DARK if dark else LIGHT


def hide_axes(figure: go.Figure) -> None:
    """Draw points as a map: no axes, the same scale both ways."""
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")


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
