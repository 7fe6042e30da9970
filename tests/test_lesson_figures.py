"""The lesson's figures show the values they were given, and keep to the recipe."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from pursuhint import figures
from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.clustering import cluster_layers
from pursuhint.lesson import Gain, RealAndShuffled, load_trainings
from pursuhint.view import COLOURS, LayerView, layer_view

COUNTED = RealAndShuffled("r2_cca", (100, 300, 1000), (0.8, 0.7, 0.6), (0.6, 0.2, 0.1))
GAINS = [
    Gain("a", (0.02, 0.04), 0.03, (0.01, 0.05)),
    Gain("b", (-0.01, 0.01), 0.0, (-0.02, 0.02)),
    Gain("c", (-0.03, -0.05), -0.04, (-0.05, -0.03)),
]
TITLES = {"a": "ahead", "b": "between", "c": "behind"}


@pytest.fixture(scope="module")
def view() -> LayerView:
    matrix = AnalysisFolder(BUILTIN_ANALYSIS).similarity("r2_cca", keep=False)
    return layer_view(matrix, cluster_layers(matrix, 4), order="depth")


@pytest.fixture
def all_figures(view):
    def make(dark: bool) -> list[go.Figure]:
        return [
            figures.image_count_curves([COUNTED], fewest=300, dark=dark),
            figures.stand_in_bars(["1.0", "1.1"], [1.0, 0.5], chosen=0, colour="#3b6fd4", dark=dark),
            figures.cover_bars(view, [0] * 27, average=0.7, dark=dark),
            figures.strength_curves(load_trainings(), share=0.5, dark=dark),
            figures.gain_intervals(GAINS, TITLES, reference="none", limits=(-0.05, 0.04), dark=dark),
        ]

    return make


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_keeps_to_the_recipe(all_figures, dark):
    for figure in all_figures(dark):
        layout = figure.layout
        assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert (layout.margin.l, layout.margin.r, layout.margin.b) == (0, 0, 0)
        assert layout.xaxis.automargin and layout.yaxis.automargin


def test_fewer_images_than_chosen_stay_hidden():
    real, shuffled = figures.image_count_curves([COUNTED], fewest=300).data
    assert list(real.y) == [0.7, 0.6] and list(shuffled.y) == [0.2, 0.1]
    assert real.text[0].startswith("<b>0.70") and real.text[1] == ""


def test_the_stand_in_does_not_count_in_the_mean_of_the_others():
    figure = figures.stand_in_bars(["a", "b", "c"], [0.5, 1.0, 0.7], chosen=1, colour="#3b6fd4")
    assert figure.layout.shapes[0].y0 == pytest.approx(0.6)
    assert figure.layout.annotations[0].text == "mean of the others 0.600"


def test_layers_take_the_colour_of_the_hint_that_stands_for_them(view):
    stands_for = [layer % len(view.hints) for layer in range(27)]
    (bars,) = figures.cover_bars(view, stands_for, average=0.7).data
    colours = list(COLOURS.values())
    assert list(bars.marker.color) == [colours[place] for place in stands_for]
    assert bars.y[5] == view.similarity[5, view.hints[stands_for[5]]]


def test_frames_hold_each_layer_once_and_follow_the_clusters(view):
    framed = figures.outline_groups(figures.heatmap(view), view).layout.shapes[27:]
    places = [place for one in framed for place in range(round(one.x0 + 0.5), round(one.x1 + 0.5))]
    assert places == list(range(27))
    assert all((one.x0, one.x1) == (one.y0, one.y1) for one in framed)
    for one in framed:
        run = view.order[round(one.x0 + 0.5) : round(one.x1 + 0.5)]
        assert len({view.clusters[layer] for layer in run}) == 1


def test_the_chosen_strength_is_drawn_last_and_strong():
    trainings = load_trainings()
    lines = figures.strength_curves(trainings, share=0.5).data
    hint, cls = lines[len(lines) // 2 - 1], lines[-1]
    assert hint.line.width > lines[0].line.width
    assert hint.y[-1] == pytest.approx(trainings.last(0.5, "hint"))
    assert cls.y[-1] == pytest.approx(trainings.last(0.5, "cls"))


def test_only_a_clear_gain_has_a_colour():
    dots, means = figures.gain_intervals(GAINS, TITLES, reference="none", limits=(-0.05, 0.04)).data
    ahead, between, behind = means.marker.color
    assert (ahead, behind) == (COLOURS["green"], COLOURS["orange"])
    assert between not in COLOURS.values()
    assert list(means.error_x.array) == pytest.approx([2, 2, 1])
    assert sorted(dots.x) == pytest.approx([-5, -3, -1, 1, 2, 4])
