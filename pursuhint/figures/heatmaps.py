"""Matrices of layers as heatmaps: similarities, two matrices and their difference, two networks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from pursuhint.figures.theme import Theme, finish, name_axis, room_for, theme_of
from pursuhint.similarity import METRICS, SideBySide, SimilarityMatrix
from pursuhint.view import LayerView

MOST_GAPS = 60
"""Layers up to which cells stand apart."""
Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class _Cells:
    """What is painted: names and values in drawing order, NaN where a pair was not compared.

    Attributes:
        rows, columns: R and C names.
        values: (R, C).
        colours: of the strip beside the rows, or None for no strip.
        bold: names of rows and columns in bold; `left_out` in italics.
        hover: (R, C) words below the value.
        scale: colours from the lowest to the highest value of `bounds`.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    values: np.ndarray
    hover: Sequence[Sequence[str]]
    scale: Sequence[str]
    bounds: tuple[float, float]
    title: str
    signed: bool = False
    colours: Sequence[str] | None = None
    bold: Collection[str] = ()
    bold_columns: Collection[str] = ()
    left_out: Collection[str] = ()


def heatmap(
    view: LayerView,
    *,
    bounds: tuple[float, float] | None = None,
    clickable: bool = False,
    picked: Pair | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw the similarity of every pair of layers, in the view's order, hint points in bold.

    A strip of cluster colours stands between the names and the cells. Layers that could not be compared
    follow in grey.

    Args:
        view: the layers.
        bounds: values at the ends of the colour scale; None: the lowest similarity, rounded down to a tenth,
            and 1.
        clickable: put an invisible marker on each cell, which carries ``customdata = [row, column]``: plotly
            tells a page of clicks on markers, not on cells.
        picked: names of row and column of a cell that gets a frame.
        dark: for a dark page.
    """
    title = f"{view.metric} similarity (1 = same)"
    values = _in_order(view, view.similarity, view.layers)
    cells = _of_view(view, values, theme_of(dark).scale, bounds or view.scale, title, chance=True)
    return _paint(cells, theme_of(dark), clickable=clickable, picked=picked)


def other_heatmap(
    view: LayerView,
    other: SimilarityMatrix,
    *,
    bounds: tuple[float, float] | None = None,
    clickable: bool = False,
    picked: Pair | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw another matrix of the same network in a view's order and colours; see `heatmap`.

    Layers of the view that the other matrix does not hold are grey.
    """
    title = METRICS[other.metric].title
    values = _in_order(view, other.values, other.layers)
    lowest = min(0.9, float(np.floor(other.values.min() * 10)) / 10)
    title = f"{title} similarity (1 = same)"
    cells = _of_view(view, values, theme_of(dark).scale, bounds or (lowest, 1.0), title)
    return _paint(cells, theme_of(dark), clickable=clickable, picked=picked)


def difference_heatmap(
    view: LayerView,
    compared: SideBySide,
    *,
    names: tuple[str, str] = ("first", "second"),
    clickable: bool = False,
    picked: Pair | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw by how much the second of two matrices is above the first, in a view's order; see `heatmap`.

    The scale goes as far to either side of 0, where it has the colour of the page.

    Args:
        view: the layers.
        compared: both matrices.
        names: of the first and of the second, for the title of the scale.
        clickable: see `heatmap`.
        picked: names of row and column of a cell that gets a frame.
        dark: for a dark page.
    """
    theme, difference = theme_of(dark), compared.difference
    most = max(0.1, float(np.ceil(np.abs(difference).max() * 10)) / 10)
    values = _in_order(view, difference, compared.layers)
    title = f"{names[1]} less {names[0]} (0 = the same)"
    cells = _of_view(view, values, theme.diverging, (-most, most), title, signed=True)
    return _paint(cells, theme, clickable=clickable, picked=picked)


def cross_heatmap(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    metric: str,
    pairs: Sequence[Pair] = (),
    clickable: bool = False,
    picked: Pair | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw how alike the layers of two networks are; a ring marks each pair that was trained to agree.

    Where the frame is there is no ring: the two would run into each other.

    Args:
        values: (R, C) similarities.
        rows: R layers of the first network, in depth order.
        columns: C layers of the second one.
        metric: title of the metric.
        pairs: hint point and guided layer.
        clickable: put an invisible marker on each cell, see `heatmap`.
        picked: names of row and column of a cell that gets a frame.
        dark: for a dark page.
    """
    theme = theme_of(dark)
    lowest = min(0.9, float(np.floor(values.min() * 10)) / 10)
    words = [[" · a pair of the run" if (row, one) in pairs else "" for one in columns] for row in rows]
    bounds, title = (lowest, 1.0), f"{metric} similarity (1 = same)"
    cells = _Cells(
        rows,
        columns,
        values,
        words,
        theme.scale,
        bounds,
        title,
        bold={hint for hint, _ in pairs},
        bold_columns={guided for _, guided in pairs},
    )
    figure = _paint(cells, theme, clickable=clickable, picked=picked, named_columns=True)
    there = [one for one in pairs if one[0] in rows and one[1] in columns and one != picked]
    for colour, width in ((theme.page, 4), (theme.mark, 2)):
        figure.add_scatter(
            x=[list(columns).index(guided) for _, guided in there],
            y=[list(rows).index(hint) for hint, _ in there],
            mode="markers",
            hoverinfo="skip",
            showlegend=False,
            marker={"symbol": "circle-open", "size": 14, "color": colour, "line": {"width": width}},
        )
    return figure


def _of_view(
    view: LayerView,
    values: np.ndarray,
    scale: Sequence[str],
    bounds: tuple[float, float],
    title: str,
    *,
    chance: bool = False,
    signed: bool = False,
) -> _Cells:
    names = _names(view)
    known = {name: layer for layer, name in enumerate(view.layers)}

    def words(first: str, second: str) -> str:
        if not chance or view.floors is None or first == second or not {first, second} <= known.keys():
            return ""
        return f"<br>unrelated layers: about {view.floors[known[first], known[second]]:.2g}"

    return _Cells(
        rows=names,
        columns=names,
        values=values,
        hover=[[words(row, column) for column in names] for row in names],
        scale=scale,
        bounds=bounds,
        title=title,
        signed=signed,
        colours=[view.colour(layer) for layer in view.order],
        bold={view.layers[layer] for layer in view.hints},
        left_out=view.left_out,
    )


def _names(view: LayerView) -> list[str]:
    return [*(view.layers[layer] for layer in view.order), *view.left_out]


def _in_order(view: LayerView, values: np.ndarray, layers: Sequence[str]) -> np.ndarray:
    """Return the values of the layers of a view in its order, NaN where a layer is missing."""
    names, place = _names(view), {name: number for number, name in enumerate(layers)}
    found = np.full((len(names), len(names)), np.nan)
    there = [number for number, name in enumerate(names) if name in place]
    order = [place[names[number]] for number in there]
    found[np.ix_(there, there)] = values[np.ix_(order, order)]
    return found


def _paint(
    cells: _Cells, theme: Theme, *, clickable: bool, picked: Pair | None, named_columns: bool = False
) -> go.Figure:
    height, width = cells.values.shape
    shown = "%{z:+.3f}" if cells.signed else "%{z:.3f}"
    gap = 1 if max(height, width) <= MOST_GAPS else 0
    figure = go.Figure(
        go.Heatmap(
            z=cells.values,
            colorscale=_colorscale(cells.scale),
            zmin=cells.bounds[0],
            zmax=cells.bounds[1],
            xgap=gap,
            ygap=gap,
            hoverongaps=False,
            colorbar=_colorbar(cells.title),
        )
    )
    if clickable:
        figure.update_traces(hoverinfo="skip")
        figure.update_layout(hoverdistance=-1)  # all of a cell belongs to its target, however large it is
        _add_targets(figure, cells, theme)
    else:
        figure.update_traces(
            customdata=[
                [[row, column, cells.hover[i][j]] for j, column in enumerate(cells.columns)]
                for i, row in enumerate(cells.rows)
            ],
            hovertemplate=f"%{{customdata[0]}} · %{{customdata[1]}}<br><b>{shown}</b>%{{customdata[2]}}"
            "<extra></extra>",
        )
    left, shapes = -0.5, []
    if cells.colours:
        strip = max(0.3, height / 90)
        left = -0.8 - strip
        edge = {"type": "rect", "x0": -0.7 - strip, "x1": -0.7, "line_width": 0}
        shapes += [
            {**edge, "y0": place - 0.4, "y1": place + 0.4, "fillcolor": colour}
            for place, colour in enumerate(cells.colours)
        ]
    grey = {"type": "rect", "fillcolor": theme.faint, "line_width": 0, "layer": "below"}
    for row in np.flatnonzero(np.isnan(cells.values).all(axis=1)):
        shapes.append({"x0": -0.5, "x1": width - 0.5, "y0": row - 0.5, "y1": row + 0.5, **grey})
    for column in np.flatnonzero(np.isnan(cells.values).all(axis=0)):
        shapes.append({"x0": column - 0.5, "x1": column + 0.5, "y0": -0.5, "y1": height - 0.5, **grey})
    if picked and picked[0] in cells.rows and picked[1] in cells.columns:
        x, y = list(cells.columns).index(picked[1]), list(cells.rows).index(picked[0])
        box = {"type": "rect", "x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5}
        shapes += [
            {**box, "line": {"color": colour, "width": line}}
            for colour, line in ((theme.page, 4), (theme.mark, 2))
        ]
    figure.update_layout(shapes=shapes)  # at once: plotly looks at all shapes again for each one added
    across = name_axis(cells.columns, cells.bold_columns, ()) if named_columns else {"visible": False}
    figure.update_xaxes(range=[left, width - 0.5], constrain="domain", tickangle=-90, **across)
    figure.update_yaxes(
        range=[height - 0.5, -0.5],
        scaleanchor=None if named_columns else "x",
        constrain="domain",
        constraintoward="top",
        **name_axis(cells.rows, cells.bold, cells.left_out),
    )
    finish(figure, theme, height=int(np.clip(15 * height + 80, 320, 1000)))
    # Told beforehand: to find the room by itself, plotly draws a square figure four times over.
    return figure.update_layout(yaxis_automargin=False, margin_l=room_for(cells.rows))


def _add_targets(figure: go.Figure, cells: _Cells, theme: Theme) -> None:
    """Lay an empty word over each cell that was compared: pointed at like a marker, and nothing to draw."""
    places = np.argwhere(~np.isnan(cells.values)).tolist()
    form = "{:+.3f}" if cells.signed else "{:.3f}"
    figure.add_scatter(
        x=[column for _, column in places],
        y=[row for row, _ in places],
        customdata=[[cells.rows[row], cells.columns[column]] for row, column in places],
        hovertext=[
            f"{cells.rows[row]} · {cells.columns[column]}<br><b>{form.format(cells.values[row, column])}</b>"
            f"{cells.hover[row][column]}"
            for row, column in places
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        hoverlabel={"bgcolor": theme.text, "font_color": theme.page},
        mode="text",
        text="",
        showlegend=False,
    )


def _colorbar(title: str) -> dict[str, object]:
    return {
        "title": {"text": title, "side": "top", "font": {"size": 11}},
        "orientation": "h",
        "thickness": 8,
        "len": 0.45,
        "x": 0.5,
        "xanchor": "center",
        "y": 1.01,
        "yanchor": "bottom",
        "outlinewidth": 0,
        "tickfont": {"size": 10},
        "nticks": 4,
    }


def _colorscale(colours: Sequence[str]) -> list[list[float | str]]:
    return [[place, colour] for place, colour in zip(np.linspace(0, 1, len(colours)), colours, strict=True)]
