"""A figure as a page of its own, which opens without a network and can be read in ten years."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go
from plotly.io import to_html

from pursuhint.figures.theme import theme_of


def figure_page(figure: go.Figure, *, title: str, dark: bool = False) -> str:
    """Return a figure as HTML with plotly's script in it, about 5 MB.

    Args:
        figure: of this package.
        title: of the page.
        dark: as the figure was drawn; the page gets that background.

    Example:
        >>> page = figure_page(go.Figure(), title="R2-CCA & more")
        >>> "<title>R2-CCA &amp; more</title>" in page, 'src="http' in page
        (True, False)
    """
    theme = theme_of(dark)
    drawn = go.Figure(figure).update_layout(
        paper_bgcolor=theme.page, margin={"l": 24, "r": 24, "t": 32, "b": 24}, width=None, autosize=True
    )
    config = {"responsive": True, "displaylogo": False}
    body = to_html(drawn, include_plotlyjs=True, full_html=False, config=config)
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f'<body style="margin: 0; background: {theme.page}">{body}</body></html>'
    )
