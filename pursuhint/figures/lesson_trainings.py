"""Figures of the lesson about trainings: what the hints' strength does, and whether their place matters."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pursuhint.figures.theme import Theme, finish, theme_of
from pursuhint.lesson.trainings import Gain, Trainings
from pursuhint.view import COLOURS

PANELS = {"hint": "distance to the hints", "cls": "loss on the labels"}


def strength_curves(trainings: Trainings, *, share: float, dark: bool = False) -> go.Figure:
    """Draw both losses over the epochs, without their weights: one strength strong, the others faint.

    Args:
        trainings: of several strengths; a line is the mean over their seeds.
        share: the strength that stands out.
        dark: for a dark page.
    """
    theme = theme_of(dark)
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.12, subplot_titles=list(PANELS.values()))
    for column, (term, colour) in enumerate(zip(PANELS, COLOURS.values(), strict=False), start=1):
        for one in sorted(trainings.shares, key=lambda other: other == share):  # the chosen one on top
            values = [statistics.mean(at) for at in _by_epoch(trainings, one, term)]
            figure.add_scatter(
                row=1,
                col=column,
                x=list(range(1, len(values) + 1)),
                y=values,
                mode="lines",
                line={"color": colour if one == share else theme.line, "width": 3 if one == share else 1.2},
                hovertemplate=f"share {one:g}<br>epoch %{{x}}: <b>%{{y:.4f}}</b><extra></extra>",
            )
        figure.add_annotation(
            row=1,
            col=column,
            x=len(values),
            y=values[-1],
            text=f"<b>{values[-1]:.3f}</b>",
            showarrow=False,
            yshift=14,
            xanchor="right",
            font={"size": 13, "color": theme.text},
        )
    figure.update_annotations(selector={"yref": "paper"}, font={"size": 13, "color": theme.muted})
    figure.update_xaxes(title={"text": "epoch", "font": {"size": 12}}, showgrid=False, zeroline=False)
    figure.update_yaxes(rangemode="tozero", gridcolor=theme.faint, zeroline=False, nticks=5)
    finish(figure, theme, height=300, top=30, showlegend=False)
    return figure.update_layout(xaxis2_automargin=True, yaxis2_automargin=True)


def gain_intervals(
    found: Sequence[Gain],
    titles: Mapping[str, str],
    *,
    reference: str,
    limits: tuple[float, float],
    dark: bool = False,
) -> go.Figure:
    """Draw how far each choice is ahead of the reference: a dot a seed, the mean, and its interval.

    Args:
        found: the first one stands at the top.
        titles: arm -> name for people.
        reference: what zero is, in words.
        limits: smallest and largest gain that the axis has room for.
        dark: for a dark page.
    """
    theme, figure = theme_of(dark), go.Figure()
    rows = list(range(len(found)))
    figure.add_vline(0, line={"color": theme.muted, "width": 2}, layer="below")
    each = [(100 * value, row) for row, gain in enumerate(found) for value in gain.each]
    figure.add_scatter(
        x=[value for value, _ in each],
        y=[row for _, row in each],
        mode="markers",
        marker={"size": 9, "color": theme.muted, "opacity": 0.35},
        hovertemplate="one seed: %{x:+.1f} points<extra></extra>",
    )
    figure.add_scatter(
        x=[100 * gain.mean for gain in found],
        y=rows,
        mode="markers",
        marker={"size": 12, "symbol": "diamond", "color": [_colour(gain, theme) for gain in found]},
        error_x={
            "array": [100 * (gain.interval[1] - gain.mean) if gain.interval else 0 for gain in found],
            "color": theme.text,
            "thickness": 1.6,
            "width": 5,
        },
        customdata=[titles[gain.arm] for gain in found],
        hovertemplate="<b>%{customdata}</b><br>mean %{x:+.2f} points<extra></extra>",
    )
    names = {"tickvals": rows, "ticktext": [titles[gain.arm] for gain in found]}
    figure.update_yaxes(range=[len(found) - 0.5, -0.5], showgrid=False, zeroline=False, **names)
    figure.update_yaxes(tickfont={"size": 12}, ticks="outside", ticklen=6, tickcolor="rgba(0,0,0,0)")
    text = f"points of accuracy ahead of {reference}"
    title = {"text": text, "font": {"size": 12}, "standoff": 6}
    figure.update_xaxes(title=title, gridcolor=theme.faint, zeroline=False, nticks=7, tickformat="+.1f")
    margin = 0.06 * (limits[1] - limits[0])
    figure.update_xaxes(range=[100 * (limits[0] - margin), 100 * (limits[1] + margin)])
    return finish(figure, theme, height=46 * len(found) + 60, showlegend=False)


def _by_epoch(trainings: Trainings, share: float, term: str) -> list[tuple[float, ...]]:
    return list(zip(*(one.curves[term] for one in trainings.of_share(share)), strict=True))


def _colour(gain: Gain, theme: Theme) -> str:
    if not gain.clear:
        return theme.muted
    return COLOURS["green"] if gain.mean > 0 else COLOURS["orange"]
