"""The layers of a teacher as a heatmap, a dendrogram and a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go

from pursuhint.errors import unknown
from pursuhint.figures.names import RADIUS, RADIUS_NAMED, RIGHT, name_sides
from pursuhint.figures.theme import TRANSPARENT, Theme, finish, hide_axes, theme_of
from pursuhint.view import LayerView

Orientation = Literal["horizontal", "vertical"]


def heatmap(view: LayerView, *, dark: bool = False) -> go.Figure:
    """Draw the similarity of every pair of layers, in the view's order, hint points in bold.

    A strip of cluster colours stands between the names and the cells. The scale begins at the lowest
    similarity, rounded down to a tenth, and ends at 1. Layers that could not be compared follow in grey.
    """
    theme, order = theme_of(dark), list(view.order)
    compared = view.similarity[np.ix_(order, order)]
    names = [*(view.layers[layer] for layer in order), *view.left_out]
    depth = len(names)
    values = np.full((depth, depth), np.nan)
    values[: len(order), : len(order)] = compared
    figure = go.Figure(
        go.Heatmap(
            z=values,
            customdata=_pairs(view, names),
            hovertemplate="%{customdata[0]} · %{customdata[1]}<br><b>%{z:.3f}</b>%{customdata[2]}"
            "<extra></extra>",
            hoverongaps=False,
            colorscale=_colorscale(theme.scale),
            zmin=view.scale[0],
            zmax=view.scale[1],
            xgap=1 if depth <= 60 else 0,
            ygap=1 if depth <= 60 else 0,
            colorbar={
                "title": {
                    "text": f"{view.metric} similarity (1 = same)",
                    "side": "top",
                    "font": {"size": 11},
                },
                "orientation": "h",
                "thickness": 8,
                "len": 0.45,
                "x": 0.5,
                "xanchor": "center",
                "y": -0.02,
                "yanchor": "top",
                "outlinewidth": 0,
                "tickfont": {"size": 10},
                "nticks": 4,
            },
        )
    )
    strip = max(0.3, depth / 90)
    edge = {"type": "rect", "x0": -0.7 - strip, "x1": -0.7, "line_width": 0}
    shapes = [
        {**edge, "y0": place - 0.4, "y1": place + 0.4, "fillcolor": view.colour(layer)}
        for place, layer in enumerate(order)
    ]
    if view.left_out:
        first = len(order) - 0.5
        grey = {"type": "rect", "fillcolor": theme.faint, "line_width": 0, "layer": "below"}
        shapes.append({"x0": -0.5, "x1": depth - 0.5, "y0": first, "y1": depth - 0.5, **grey})
        shapes.append({"x0": first, "x1": depth - 0.5, "y0": -0.5, "y1": depth - 0.5, **grey})
    figure.update_layout(shapes=shapes)  # at once: plotly looks at all shapes again for each one added
    figure.update_xaxes(range=[-0.8 - strip, depth - 0.5], visible=False, constrain="domain")
    leaf_axis = _leaf_axis(view, left_out=True)
    figure.update_yaxes(range=[depth - 0.5, -0.5], scaleanchor="x", constrain="domain", **leaf_axis)
    return finish(figure, theme, height=int(np.clip(15 * depth + 80, 320, 1000)))


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
    sides = name_sides(view.positions, {layer: view.layers[layer] for layer in view.hints})
    markers = _layer_markers(
        view, range(len(view.layers)), theme, size=2 * RADIUS, size_hint=2 * RADIUS_NAMED
    )
    markers |= {
        "mode": "markers+text",
        "text": [f"<b>{name}</b>" if layer in view.hints else "" for layer, name in enumerate(view.layers)],
        "textposition": [sides.get(layer, RIGHT) for layer in range(len(x))],
        "textfont": {"size": 12, "color": theme.text},
    }
    figure = go.Figure()
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": theme.faint, "width": 1}, hoverinfo="skip")
    figure.add_scatter(x=x, y=y, cliponaxis=False, **markers)
    hide_axes(figure)
    return finish(figure, theme, height=360)


def _colorscale(colours: Sequence[str]) -> list[list[float | str]]:
    return [[place, colour] for place, colour in zip(np.linspace(0, 1, len(colours)), colours, strict=True)]


def _pairs(view: LayerView, names: Sequence[str]) -> list[list[list[str]]]:
    """Return for every cell the two names, and what the pair would score by chance where that matters."""
    place = {name: layer for layer, name in enumerate(view.layers)}

    def chance(first: str, second: str) -> str:
        if view.floors is None or first not in place or second not in place or first == second:
            return ""
        return f"<br>unrelated layers: about {view.floors[place[first], place[second]]:.2g}"

    return [[[row, column, chance(row, column)] for column in names] for row in names]


def _leaf_axis(view: LayerView, *, left_out: bool = False) -> dict[str, object]:
    """Name the layers along an axis in the view's order, hint points in bold, left out ones at the end."""
    names = [view.layers[layer] for layer in view.order]
    bold = [
        f"<b>{name}</b>" if layer in view.hints else name
        for layer, name in zip(view.order, names, strict=True)
    ]
    if left_out:
        bold += [f"<i>{name}</i>" for name in view.left_out]
    return {
        "tickvals": list(range(len(bold))),
        "ticktext": bold,
        "tickfont": {"size": 10 if len(bold) <= 40 else 8},
        "showgrid": False,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 7,
        "tickcolor": TRANSPARENT,
    }


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
