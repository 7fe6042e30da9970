"""Plain charts: the silhouette over the number of clusters, and the record of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pursuhint.errors import InputError
from pursuhint.figures.theme import finish, theme_of
from pursuhint.view import COLOURS, LayerView


def silhouette_bars(
    curve: Mapping[int, float], *, chosen: int | None = None, dark: bool = False
) -> go.Figure:
    """Draw the silhouette over the number of clusters, the chosen number in the accent colour.

    Args:
        curve: K -> mean silhouette, as `silhouette_curve` returns it; each bar carries ``customdata = [K]``.
        chosen: the K in force.
        dark: for a dark page.
    """
    theme = theme_of(dark)
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
    return finish(figure, theme, height=170, top=18)


def chosen_bars(view: LayerView, frequency: Mapping[str, float], *, dark: bool = False) -> go.Figure:
    """Draw how often each layer is a hint point among resamples, in depth order.

    Args:
        view: the layers; bars take the colours of their clusters, hint points are outlined and named in
            bold. Each bar carries ``customdata = [layer index, layer name]``.
        frequency: layer -> share of the resamples.
        dark: for a dark page.
    """
    theme = theme_of(dark)
    places = range(len(view.layers))
    shares = [frequency.get(name, 0.0) for name in view.layers]
    figure = go.Figure(
        go.Bar(
            x=list(places),
            y=shares,
            customdata=[[place, view.layers[place]] for place in places],
            cliponaxis=False,
            marker={
                "color": [view.colour(place) for place in places],
                "line": {"color": theme.text, "width": [1.5 if p in view.hints else 0 for p in places]},
            },
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            hovertemplate="<b>%{customdata[1]}</b><br>chosen in %{y:.0%}<extra></extra>",
        )
    )
    labels = [f"<b>{view.labels[p]}</b>" if p in view.hints else view.labels[p] for p in places]
    figure.update_xaxes(
        tickvals=list(places), ticktext=labels, tickangle=-90, tickfont={"size": 9}, showgrid=False
    )
    figure.update_yaxes(
        range=[0, max(0.1, *shares) * 1.08], tickformat=".0%", nticks=4, gridcolor=theme.faint, zeroline=False
    )
    figure.update_layout(bargap=0.25)
    return finish(figure, theme, height=200, top=8)


def curves(history: Sequence[Mapping[str, float]], *, dark: bool = False) -> go.Figure:
    """Draw a training record: losses on the left, on a logarithmic axis, accuracies on the right.

    Args:
        history: one row an epoch, with ``epoch`` and any named numbers; those with "accuracy" in their
            name go to the right. A value missing from a row leaves a gap.
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
    theme, palette = theme_of(dark), list(COLOURS.values())
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
    return finish(figure, theme, height=320, top=28, showlegend=True)
