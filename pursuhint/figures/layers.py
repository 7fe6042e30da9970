"""The layers of a teacher as a dendrogram and a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go

from pursuhint.errors import unknown
from pursuhint.figures.names import RADIUS, RADIUS_NAMED, RIGHT, name_sides
from pursuhint.figures.theme import Theme, finish, hide_axes, name_axis, theme_of
from pursuhint.short_names import LONGEST, fitting_names
from pursuhint.view import LayerView

Orientation = Literal["horizontal", "vertical"]


def dendrogram(view: LayerView, *, orientation: Orientation = "horizontal", dark: bool = False) -> go.Figure:
    """Draw the tree of the layers: with its cut if the clusters are its own, else with their method's name.

    All branches are one grey trace. The leaves are markers in the colours of their clusters, large for hint
    points; each carries ``customdata = [layer index, layer name]``, so that a page can tell which one was
    clicked.

    Args:
        view: the layers.
        orientation: ``"horizontal"``: leaves one below the other, the tree grows to the right;
            ``"vertical"``: leaves side by side, the tree grows up.
        dark: for a dark page.

    Raises:
        InputError: unknown orientation.
    """
    if orientation not in get_args(Orientation):
        raise unknown("orientation", orientation, get_args(Orientation))
    theme, depth = theme_of(dark), len(view.layers)
    along: list[float | None] = []
    up: list[float | None] = []
    for branch in view.branches:
        along += [branch.at[0], branch.at[0], branch.at[1], branch.at[1], None]
        up += [branch.heights[0], branch.height, branch.height, branch.heights[1], None]
    leaves = _layer_markers(view, list(view.order), theme, size=9, size_hint=15)
    places, ground = list(range(depth)), [0.0] * depth
    lines = {"mode": "lines", "line": {"color": theme.line, "width": 1.4}, "hoverinfo": "skip"}
    horizontal = orientation == "horizontal"
    figure = go.Figure()
    figure.add_scatter(x=up if horizontal else along, y=along if horizontal else up, **lines)
    figure.add_scatter(
        x=ground if horizontal else places, y=places if horizontal else ground, cliponaxis=False, **leaves
    )
    top = max(branch.height for branch in view.branches)
    if view.cut is not None:
        draw = figure.add_vline if horizontal else figure.add_hline
        draw(
            view.cut,
            line={"color": theme.muted, "width": 1, "dash": "dash"},
            annotation_text=f"K = {len(view.colours)}",
            annotation_font={"size": 11, "color": theme.muted},
            annotation_position="top" if horizontal else "top right",
        )
    elif len(view.colours) > 1:
        figure.add_annotation(
            text=f"average-linkage tree; colours: clusters of {view.method}",
            font={"size": 11, "color": theme.muted},
            showarrow=False,
            **{"xref": "paper", "x": 1, "xanchor": "right", "yref": "paper", "y": 1, "yanchor": "bottom"},
        )

    leaf_axis = _leaf_axis(view)
    distance_axis = {
        "range": [-0.02 * top, 1.04 * top or 1.0],
        "title": {"text": view.height, "font": {"size": 11}, "standoff": 8},
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": 10},
        "nticks": 5,
    }
    if horizontal:
        figure.update_yaxes(range=[depth - 0.5, -0.5], **leaf_axis)
        figure.update_xaxes(**distance_axis)
        return finish(figure, theme, height=int(np.clip(17 * depth + 70, 240, 1100)), top=20)
    figure.update_xaxes(range=[-0.5, depth - 0.5], tickangle=-90, **leaf_axis)
    figure.update_yaxes(**distance_axis)
    return finish(figure, theme, height=380)


def layer_map(view: LayerView, *, dark: bool = False) -> go.Figure:
    """Draw the layers as points, alike ones near each other, joined in depth order; hint points named.

    Each point carries ``customdata = [layer index, layer name]``.
    """
    theme = theme_of(dark)
    x, y = view.positions.T
    names = fitting_names(view.layers, LONGEST)
    sides = name_sides(view.positions, {layer: names[layer] for layer in view.hints})
    markers = _layer_markers(
        view, range(len(view.layers)), theme, size=2 * RADIUS, size_hint=2 * RADIUS_NAMED
    )
    markers |= {
        "mode": "markers+text",
        "text": [f"<b>{name}</b>" if layer in view.hints else "" for layer, name in enumerate(names)],
        "textposition": [sides.get(layer, RIGHT) for layer in range(len(x))],
        "textfont": {"size": 12, "color": theme.text},
    }
    figure = go.Figure()
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": theme.faint, "width": 1}, hoverinfo="skip")
    figure.add_scatter(x=x, y=y, cliponaxis=False, **markers)
    hide_axes(figure)
    return finish(figure, theme, height=360)


def _leaf_axis(view: LayerView) -> dict[str, object]:
    """Name the layers along an axis in the view's order, hint points in bold."""
    return name_axis([view.layers[layer] for layer in view.order], {view.layers[hint] for hint in view.hints})


def _layer_markers(
    view: LayerView, layers: Sequence[int], theme: Theme, *, size: float, size_hint: float
) -> dict[str, object]:
    """Describe clickable markers of layers: coloured by cluster, hint points large with a ring."""
    hints = [layer in view.hints for layer in layers]
    what = [
        f"cluster {view.cluster_name(layer)}" + " · hint point" * (layer in view.hints) for layer in layers
    ]
    return {
        "mode": "markers",
        "customdata": [[layer, view.layers[layer]] for layer in layers],
        "hovertext": what,
        "hovertemplate": "<b>%{customdata[1]}</b><br>%{hovertext}<extra></extra>",
        "marker": {
            "size": [size_hint if hint else size for hint in hints],
            "color": [view.colour(layer) for layer in layers],
            "opacity": 1,
            "line": {
                "width": [2 if hint else 1 for hint in hints],
                "color": [theme.text if hint else theme.page for hint in hints],
            },
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
