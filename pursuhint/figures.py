"""Plotly figures of layers, images and training, for pages, notebooks and reports.

Backgrounds are transparent, so a figure takes the colour of the page it lies on; ``dark`` says which one that is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pursuhint.errors import InputError, unknown
from pursuhint.view import COLOURS, LayerView

Orientation = Literal["horizontal", "vertical"]
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


def heatmap(view: LayerView, *, dark: bool = False) -> go.Figure:
    """Draw the similarity of every pair of layers, in the view's order, hint points in bold.

    A strip of cluster colours stands between the names and the cells. The scale begins at the lowest similarity, rounded
    down to a tenth, and ends at 1.
    """
    theme, order = _theme(dark), list(view.order)
    values = view.similarity[np.ix_(order, order)]
    names = [view.layers[layer] for layer in order]
    depth = len(order)
    figure = go.Figure(
        go.Heatmap(
            z=values,
            customdata=[[[row, column] for column in names] for row in names],
            hovertemplate="%{customdata[0]} · %{customdata[1]}<br><b>%{z:.3f}</b><extra></extra>",
            colorscale=_colorscale(theme.scale),
            zmin=min(0.9, np.floor(values.min() * 10) / 10),
            zmax=1,
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
    for place, layer in enumerate(order):
        figure.add_shape(
            type="rect",
            x0=-0.7 - strip,
            x1=-0.7,
            y0=place - 0.4,
            y1=place + 0.4,
            fillcolor=view.colour(layer),
            line_width=0,
        )
    figure.update_xaxes(range=[-0.8 - strip, depth - 0.5], visible=False, constrain="domain")
    figure.update_yaxes(range=[depth - 0.5, -0.5], scaleanchor="x", constrain="domain", **_leaf_axis(view))
    return _finish(figure, theme, height=int(np.clip(15 * depth + 80, 320, 1000)))


def dendrogram(view: LayerView, *, orientation: Orientation = "horizontal", dark: bool = False) -> go.Figure:
    """Draw the average-linkage tree with the cut that gives as many clusters as the view has.

    All branches are one grey trace. The leaves are markers in the colours of their clusters, large for hint points; each
    carries ``customdata = [layer index, layer name]``, so that a page can tell which one was clicked.

    Args:
        view: the layers.
        orientation: ``"horizontal"``: leaves one below the other, the tree grows to the right; ``"vertical"``: leaves side
            by side, the tree grows up.
        dark: for a dark page.

    Raises:
        InputError: unknown orientation.
    """
    if orientation not in get_args(Orientation):
        raise unknown("orientation", orientation, get_args(Orientation))
    theme, depth = _theme(dark), len(view.layers)
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

    leaf_axis = _leaf_axis(view)
    distance_axis = {
        "range": [-0.02 * top, 1.04 * top or 1.0],
        "title": {"text": "distance (1 − similarity)", "font": {"size": 11}, "standoff": 8},
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": 10},
        "nticks": 5,
    }
    if horizontal:
        figure.update_yaxes(range=[depth - 0.5, -0.5], **leaf_axis)
        figure.update_xaxes(**distance_axis)
        return _finish(figure, theme, height=int(np.clip(17 * depth + 70, 240, 1100)), top=20)
    figure.update_xaxes(range=[-0.5, depth - 0.5], tickangle=-90, **leaf_axis)
    figure.update_yaxes(**distance_axis)
    return _finish(figure, theme, height=380)


def layer_map(view: LayerView, *, dark: bool = False) -> go.Figure:
    """Draw the layers as points, alike ones near each other, joined in depth order; hint points large and named.

    Each point carries ``customdata = [layer index, layer name]``.
    """
    theme = _theme(dark)
    x, y = view.positions.T
    markers = _layer_markers(view, range(len(view.layers)), theme, size=11, size_hint=20)
    markers |= {
        "mode": "markers+text",
        "text": [f"<b>{name}</b>" if layer in view.hints else "" for layer, name in enumerate(view.layers)],
        "textposition": [_free_side(view.positions, layer) for layer in range(len(x))],
        "textfont": {"size": 12, "color": theme.text},
    }
    figure = go.Figure()
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": theme.faint, "width": 1}, hoverinfo="skip")
    figure.add_scatter(x=x, y=y, cliponaxis=False, **markers)
    _hide_axes(figure)
    return _finish(figure, theme, height=360)


def image_map(
    positions: np.ndarray, classes: Sequence[str | int] | None = None, *, dark: bool = False
) -> go.Figure:
    """Draw the probe images as points, coloured by class.

    Up to ten classes have their own colours and a legend; of more, the names show on pointing at an image.

    Args:
        positions: (N, 2), from `pursuhint.embedding.map_images`.
        classes: N class names; None: one colour.
        dark: for a dark page.

    Raises:
        InputError: positions of another shape, or not one class an image.
    """
    positions = np.asarray(positions)
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise InputError(
            f"`positions` must have the shape (images, 2): found {positions.shape}; use `map_images`"
        )
    names = [""] * len(positions) if classes is None else list(classes)
    if len(names) != len(positions):
        raise InputError(
            f"`classes` must name the class of each of the {len(positions)} images: found {len(names)}; "
            "take both from the same analysis"
        )
    theme, palette = _theme(dark), list(COLOURS.values())
    known = sorted(set(names))
    few = len(known) <= len(palette)
    figure = go.Figure()
    for number, name in enumerate(known):
        mine = [index for index, other in enumerate(names) if other == name]
        figure.add_scatter(
            x=positions[mine, 0],
            y=positions[mine, 1],
            mode="markers",
            name=str(name),
            showlegend=few and len(known) > 1,
            customdata=[[index, name] for index in mine],
            hovertemplate="image %{customdata[0]}"
            + (f" · {name}" if classes is not None else "")
            + "<extra></extra>",
            marker={"size": 5, "opacity": 0.8, "color": palette[number % len(palette)]},
        )
    figure.update_layout(legend={"orientation": "h", "y": -0.02, "yanchor": "top", "itemsizing": "constant"})
    _hide_axes(figure)
    return _finish(figure, theme, height=420)


def silhouette_bars(
    curve: Mapping[int, float], *, chosen: int | None = None, dark: bool = False
) -> go.Figure:
    """Draw the silhouette over the number of clusters, the chosen number in the accent colour.

    Args:
        curve: K -> mean silhouette, from `pursuhint.clustering.silhouette_curve`; each bar carries ``customdata = [K]``.
        chosen: the K in force.
        dark: for a dark page.
    """
    theme = _theme(dark)
    counts = list(curve)
    figure = go.Figure(
        go.Bar(
            x=counts,
            y=list(curve.values()),
            customdata=[[count] for count in counts],
            text=[f"{value:.2f}" for value in curve.values()],
            textposition="outside",
            textfont={"size": 10, "color": theme.muted},
            cliponaxis=False,
            marker={"color": [theme.accent if count == chosen else theme.faint for count in counts]},
            unselected={"marker": {"opacity": 1}},
            hovertemplate="K = %{x}<br>silhouette <b>%{y:.3f}</b><extra></extra>",
        )
    )
    figure.update_xaxes(
        tickvals=counts,
        ticktext=[f"<b>{count}</b>" if count == chosen else str(count) for count in counts],
        title={"text": "clusters", "font": {"size": 11}},
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(visible=False, rangemode="tozero")
    figure.update_layout(bargap=0.3)
    return _finish(figure, theme, height=170, top=18)


def curves(history: Sequence[Mapping[str, float]], *, dark: bool = False) -> go.Figure:
    """Draw a training record: losses on the left, on a logarithmic axis, accuracies on the right.

    Args:
        history: one row an epoch, with ``epoch`` and any named numbers; those with "accuracy" in their name go to the right.
            A value missing from a row leaves a gap.
        dark: for a dark page.

    Raises:
        InputError: a row without an epoch.
    """
    for number, row in enumerate(history):
        if "epoch" not in row:
            raise InputError(
                f"every row of the history needs `epoch`: row {number} has {', '.join(row) or 'nothing'}; "
                "pass the rows of a run's record"
            )
    theme, palette = _theme(dark), list(COLOURS.values())
    names = list(dict.fromkeys(name for row in history for name in row if name != "epoch"))
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.09, subplot_titles=("loss", "accuracy"))
    for name, colour in zip(names, palette * (len(names) // len(palette) + 1), strict=False):
        figure.add_scatter(
            row=1,
            col=2 if "accuracy" in name else 1,
            x=[row["epoch"] for row in history],
            y=[row.get(name) for row in history],
            mode="lines" if len(history) > 1 else "markers",
            name=name,
            line={"color": colour, "width": 2},
            hovertemplate="%{y:.4g}",
        )
    figure.update_xaxes(title={"text": "epoch", "font": {"size": 11}}, showgrid=False, zeroline=False)
    figure.update_yaxes(gridcolor=theme.faint, zeroline=False, tickfont={"size": 10})
    figure.update_yaxes(type="log", dtick="D2", row=1, col=1)
    figure.update_yaxes(tickformat=".0%", row=1, col=2)
    figure.update_annotations(font={"size": 12, "color": theme.muted})
    figure.update_layout(hovermode="x unified", legend={"orientation": "h", "y": -0.2, "yanchor": "top"})
    return _finish(figure, theme, height=320, top=28, showlegend=True)


def _theme(dark: bool) -> Theme:
    return DARK if dark else LIGHT


def _colorscale(colours: Sequence[str]) -> list[list[float | str]]:
    return [[place, colour] for place, colour in zip(np.linspace(0, 1, len(colours)), colours, strict=True)]


def _leaf_axis(view: LayerView) -> dict[str, object]:
    """Name the layers along an axis in the view's order, hint points in bold."""
    names = [view.layers[layer] for layer in view.order]
    bold = [
        f"<b>{name}</b>" if layer in view.hints else name
        for layer, name in zip(view.order, names, strict=True)
    ]
    return {
        "tickvals": list(range(len(names))),
        "ticktext": bold,
        "tickfont": {"size": 10 if len(names) <= 40 else 8},
        "showgrid": False,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 7,
        "tickcolor": TRANSPARENT,
    }


def _layer_markers(
    view: LayerView, layers: Sequence[int], theme: Theme, *, size: int, size_hint: int
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


def _free_side(positions: np.ndarray, layer: int) -> str:
    """Return the side of a point on which its name covers the fewest other points, the right one if in doubt."""
    pixel = max(np.ptp(positions[:, 0]) / 600, np.ptp(positions[:, 1]) / 320) or 1.0
    offsets = (np.delete(positions, layer, axis=0) - positions[layer]) / pixel
    sides = {
        "middle right": (55, 0),
        "middle left": (-55, 0),
        "top center": (0, 20),
        "bottom center": (0, -20),
    }

    def covered(side: str) -> int:
        return int((np.abs(offsets - sides[side]) < (45, 14)).all(axis=1).sum())

    return min(sides, key=covered)


def _hide_axes(figure: go.Figure) -> None:
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")


def _finish(
    figure: go.Figure, theme: Theme, *, height: int, top: int = 8, showlegend: bool | None = None
) -> go.Figure:
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
