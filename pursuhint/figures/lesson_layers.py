"""Figures of the lesson about layers: similarity and chance, a stand-in for a cluster, what hints cover."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import plotly.graph_objects as go

from pursuhint.figures.theme import Theme, finish, theme_of
from pursuhint.lesson.chance import RealAndShuffled
from pursuhint.similarity import METRICS
from pursuhint.view import COLOURS, LayerView


def image_count_curves(found: Sequence[RealAndShuffled], *, fewest: int, dark: bool = False) -> go.Figure:
    """Draw similarity over the number of images: the real pair as a line, the shuffled one dotted.

    Args:
        found: one entry a metric, all of the same counts.
        fewest: the count at which the lines begin, with their values; what fewer images say stays hidden.
        dark: for a dark page.
    """
    theme, figure = theme_of(dark), go.Figure()
    counts = found[0].counts
    first = counts.index(fewest)
    places = list(range(first, len(counts)))
    for one, colour in zip(found, COLOURS.values(), strict=False):
        title = METRICS[one.metric].title
        low = "middle left" if figure.data else "top center"  # two shuffled pairs meet near 0
        for values, words, dash, side in (
            (one.real, "two layers", "solid", "top center"),
            (one.shuffled, "shuffled", "dot", low),
        ):
            figure.add_scatter(
                x=places,
                y=values[first:],
                mode="lines+markers+text",
                name=f"{title}, {words}",
                showlegend=True,
                line={"color": colour, "width": 2.2, "dash": dash},
                marker={"color": colour, "size": [11 if place == first else 5 for place in places]},
                text=[f"<b>{values[first]:.2f}</b>&nbsp;"] + [""] * (len(places) - 1),
                textposition=side,
                textfont={"size": 13, "color": theme.text},
                cliponaxis=False,
                customdata=[f"{counts[place]:,}" for place in places],
                hovertemplate=f"{title}, {words}<br>%{{customdata}} images: <b>%{{y:.3f}}</b><extra></extra>",
            )
    ticks = {"tickvals": list(range(len(counts))), "ticktext": [f"{count:,}" for count in counts]}
    title = {"text": "images", "font": {"size": 12}, "standoff": 6}
    figure.update_xaxes(range=[-0.3, len(counts) - 0.7], showgrid=False, zeroline=False, title=title, **ticks)
    figure.update_yaxes(range=[0, 1.04], gridcolor=theme.faint, zeroline=False, nticks=6)
    figure.update_layout(legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0})
    return finish(figure, theme, height=360, top=12)


def outline_groups(figure: go.Figure, view: LayerView, *, dark: bool = False) -> go.Figure:
    """Draw a frame around each run of neighbours of one cluster, on the diagonal of a heatmap.

    Args:
        figure: a heatmap of the view.
        view: the layers, in the order in which they are drawn.
        dark: for a dark page.
    """
    line = {"color": theme_of(dark).text, "width": 2}
    for _, run in groupby(enumerate(view.order), key=lambda at: view.clusters[at[1]]):
        places = [place for place, _ in run]
        ends = {"0": places[0] - 0.5, "1": places[-1] + 0.5}
        figure.add_shape(
            type="rect", line=line, **{axis + end: at for end, at in ends.items() for axis in "xy"}
        )
    return figure


def stand_in_bars(
    labels: Sequence[str], similarities: Sequence[float], *, chosen: int, colour: str, dark: bool = False
) -> go.Figure:
    """Draw how alike every layer of a cluster is to the one that stands for them, with the others' mean.

    Args:
        labels: names of the cluster's layers, in depth order.
        similarities: of each to the stand-in, whose own is 1.
        chosen: place of the stand-in among them.
        colour: of the cluster, ``#rrggbb``.
        dark: for a dark page.
    """
    theme = theme_of(dark)
    others = [value for place, value in enumerate(similarities) if place != chosen]
    mean = sum(others) / len(others)
    bars = go.Bar(
        x=list(range(len(labels))),
        y=list(similarities),
        customdata=list(labels),
        text=[f"{value:.2f}" for value in similarities],
        textposition="inside",
        insidetextanchor="start",
        textangle=0,
        textfont={"size": 11, "color": theme.text},
        constraintext="none",
        marker={
            "color": colour,
            "opacity": [1 if place == chosen else 0.45 for place in range(len(labels))],
        },
        hovertemplate="<b>%{customdata}</b><br>similarity %{y:.3f}<extra></extra>",
    )
    figure = go.Figure(bars)
    _mark_mean(figure, mean, f"mean of the others {mean:.3f}", "top right", theme)
    bold = [f"<b>{name}</b>" if place == chosen else name for place, name in enumerate(labels)]
    _name_layers(figure, bold)
    figure.update_yaxes(visible=False, range=[0, 1.05])
    figure.update_layout(bargap=0.25)
    return finish(figure, theme, height=300, top=12)


def cover_bars(
    view: LayerView, stands_for: Sequence[int], *, average: float, dark: bool = False
) -> go.Figure:
    """Draw how alike every layer is to its nearest hint point, in the colour of that hint point.

    Args:
        view: the layers with the hint points in force.
        stands_for: for each layer the place of its hint point among them.
        average: of the bars, the coverage.
        dark: for a dark page.
    """
    theme, palette = theme_of(dark), list(COLOURS.values())
    places = range(len(view.layers))
    nearest = [view.hints[place] for place in stands_for]
    figure = go.Figure(
        go.Bar(
            x=list(places),
            y=[float(view.similarity[layer, hint]) for layer, hint in enumerate(nearest)],
            customdata=[[view.layers[layer], view.layers[hint]] for layer, hint in enumerate(nearest)],
            marker={
                "color": [palette[place % len(palette)] for place in stands_for],
                "opacity": [1 if place in view.hints else 0.5 for place in places],
            },
            hovertemplate="<b>%{customdata[0]}</b><br>nearest hint point %{customdata[1]}: %{y:.3f}"
            "<extra></extra>",
        )
    )
    _mark_mean(figure, average, f"coverage {average:.3f}", "top left", theme)
    names = zip(places, view.labels, strict=True)
    _name_layers(figure, [f"<b>{name}</b>" if place in view.hints else name for place, name in names])
    figure.update_yaxes(range=[0, 1.02], nticks=5, gridcolor=theme.faint, zeroline=False)
    figure.update_layout(bargap=0.2)
    return finish(figure, theme, height=260, top=12)


def _name_layers(figure: go.Figure, names: Sequence[str]) -> None:
    ticks = {"tickvals": list(range(len(names))), "ticktext": list(names), "tickangle": -90}
    figure.update_xaxes(tickfont={"size": 11}, showgrid=False, zeroline=False, **ticks)


def _mark_mean(figure: go.Figure, value: float, text: str, place: str, theme: Theme) -> None:
    """Draw a dashed line across the bars at their mean."""
    figure.add_hline(
        value,
        line={"color": theme.accent, "width": 2, "dash": "dash"},
        annotation_text=text,
        annotation_position=place,
        annotation_font={"size": 12, "color": theme.accent},
        annotation_bgcolor=theme.page,
    )
