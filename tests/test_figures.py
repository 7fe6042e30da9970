"""Figures show the values they were given, can be clicked, and keep to the recipe."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from pursuhint import figures
from pursuhint.clustering import cluster_layers, silhouette_curve
from pursuhint.errors import InputError
from pursuhint.figures.names import name_sides
from pursuhint.similarity import SimilarityMatrix, side_by_side, similarity_matrix
from pursuhint.view import COLOURS, LayerView, layer_view

HISTORY = [
    {"epoch": 0, "loss": 2.0, "loss_cls": 1.5, "accuracy": 0.5},
    {"epoch": 1, "loss": 1.0, "loss_hint": 0.2, "accuracy": 0.75},
]


def luminance(colour: str) -> float:
    channels = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return float(channels**2.2 @ [0.2126, 0.7152, 0.0722])


@pytest.fixture
def similarity() -> SimilarityMatrix:
    walk = np.cumsum(np.random.default_rng(0).normal(size=(9, 3)), axis=0)
    values = np.exp(-np.linalg.norm(walk[:, None] - walk[None], axis=-1) / 4)
    return SimilarityMatrix(values, tuple(f"layer{n}" for n in range(9)), "r2_cca", "mean", 1000, {}, {})


@pytest.fixture
def view(similarity) -> LayerView:
    return layer_view(similarity, cluster_layers(similarity, 3), ["layer2", "layer7"])


@pytest.fixture
def all_figures(similarity, view):
    def make(dark: bool) -> list[go.Figure]:
        return [
            figures.heatmap(view, dark=dark),
            figures.other_heatmap(view, similarity, dark=dark),
            figures.difference_heatmap(view, side_by_side(similarity, similarity), dark=dark),
            figures.cross_heatmap(np.eye(2), "ab", "xy", metric="R²-CCA", pairs=[("a", "y")], dark=dark),
            figures.dendrogram(view, dark=dark),
            figures.dendrogram(view, orientation="vertical", dark=dark),
            figures.layer_map(view, dark=dark),
            figures.image_map(np.random.default_rng(0).normal(size=(30, 2)), ["a", "b", "c"] * 10, dark=dark),
            figures.silhouette_bars(silhouette_curve(similarity), chosen=3, dark=dark),
            figures.curves(HISTORY, dark=dark),
        ]

    return make


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_keeps_to_the_recipe(all_figures, dark):
    for figure in all_figures(dark):
        layout = figure.layout
        assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert (layout.margin.r, layout.margin.b) == (0, 0)
        assert bool(layout.margin.l) != bool(layout.yaxis.automargin), "room for the names, told or found"
        assert layout.dragmode is False
        assert layout.height
        assert (luminance(layout.font.color) > 0.5) == dark
        assert figure.to_json()


@pytest.mark.parametrize("theme", [figures.LIGHT, figures.DARK], ids=["light", "dark"])
def test_the_scale_runs_from_the_page_away_from_it(theme):
    steps = [luminance(colour) for colour in theme.scale]
    away = steps[-1] - luminance(theme.page)
    assert abs(steps[0] - luminance(theme.page)) < 0.12
    assert abs(away) > 0.8
    assert all(np.sign(np.diff(steps)) == np.sign(away))


def test_the_heatmap_shows_the_values_in_drawing_order(view):
    figure = figures.heatmap(view)
    (cells,) = figure.data
    order = list(view.order)
    np.testing.assert_array_equal(cells.z, view.similarity[np.ix_(order, order)])
    assert list(cells.customdata[0][1]) == [view.layers[order[0]], view.layers[order[1]], ""]
    assert cells.zmax == 1
    assert cells.zmin <= view.similarity.min() < cells.zmin + 0.1
    assert figure.layout.yaxis.range == (8.5, -0.5)
    assert figure.layout.yaxis.scaleanchor == "x"
    assert cells.colorbar.title.text == "R²-CCA similarity (1 = same)"
    assert [shape.fillcolor for shape in figure.layout.shapes] == [view.colour(layer) for layer in order]


def test_layers_that_cannot_be_compared_stand_in_grey_at_the_end():
    features = np.random.default_rng(0).normal(size=(400, 3, 8))
    layers = {"a": features[:, 0], "dead": np.ones((400, 4)), "b": features[:, 1], "c": features[:, 2]}
    similarity = similarity_matrix(layers, metric="r2_cca")
    view = layer_view(similarity, cluster_layers(similarity, 2))
    assert view.left_out == ("dead",)
    assert view.floors[0, 1] == pytest.approx(8 / 400)
    figure = figures.heatmap(view)
    (cells,) = figure.data
    assert np.isnan(cells.z[3]).all() and np.isnan(cells.z[:, 3]).all()
    assert not np.isnan(cells.z[:3, :3]).any()
    assert figure.layout.yaxis.ticktext[3] == "<i>dead</i>"
    assert sum(shape.fillcolor == figures.LIGHT.faint for shape in figure.layout.shapes) == 2
    assert cells.customdata[0][1][2] == "<br>unrelated layers: about 0.02"
    assert cells.customdata[0][0][2] == "" and cells.customdata[0][3][2] == ""


def test_the_heatmap_of_identical_layers_still_has_a_scale(similarity):
    same = SimilarityMatrix(np.ones((3, 3)), ("a", "b", "c"), "cka_linear", "mean", 10, {}, {})
    (cells,) = figures.heatmap(layer_view(same, cluster_layers(same, 1))).data
    assert (cells.zmin, cells.zmax) == (0.9, 1)


def test_a_marker_lies_on_every_cell_and_names_it(view):
    cells, markers = figures.heatmap(view, clickable=True, picked=("layer0", "layer3")).data
    assert len(markers.x) == 81 and (markers.mode, markers.text) == ("text", "")
    names = [view.layers[layer] for layer in view.order]
    for x, y, pair, text in zip(markers.x, markers.y, markers.customdata, markers.hovertext, strict=True):
        assert list(pair) == [names[y], names[x]]
        assert f"<b>{cells.z[y][x]:.3f}</b>" in text


def test_a_picked_cell_is_framed(view):
    frames = [
        shape
        for shape in figures.heatmap(view, picked=("layer0", "layer3")).layout.shapes
        if shape.line.width == 2
    ]
    names = [view.layers[layer] for layer in view.order]
    (frame,) = frames
    assert (frame.x0 + 0.5, frame.y0 + 0.5) == (names.index("layer3"), names.index("layer0"))


def test_another_matrix_takes_the_order_of_the_view_and_greys_what_it_lacks(view, similarity):
    kept = [0, 1, 2, 3, 4, 6, 7, 8]
    less = replace(
        similarity,
        values=similarity.values[np.ix_(kept, kept)] ** 2,
        layers=tuple(similarity.layers[layer] for layer in kept),
        metric="cka_linear",
    )
    figure = figures.other_heatmap(view, less)
    cells, order = np.array(figure.data[0].z), list(view.order)
    expected = (similarity.values**2)[np.ix_(order, order)]
    gone = order.index(5)
    assert np.isnan(cells[gone]).all() and np.isnan(cells[:, gone]).all()
    there = [place for place in range(9) if place != gone]
    np.testing.assert_allclose(cells[np.ix_(there, there)], expected[np.ix_(there, there)])
    assert sum(shape.fillcolor == figures.LIGHT.faint for shape in figure.layout.shapes) == 2
    assert "Linear CKA" in figure.data[0].colorbar.title.text


@pytest.mark.parametrize("dark", [False, True])
def test_the_difference_is_centred_and_its_middle_is_the_page(view, similarity, dark):
    lower = replace(similarity, values=np.where(np.eye(9), 1.0, similarity.values - 0.13))
    (cells,) = figures.difference_heatmap(view, side_by_side(similarity, lower), dark=dark).data
    assert (cells.zmin, cells.zmax) == (-0.2, 0.2)
    np.testing.assert_allclose(np.array(cells.z)[0, 1:], -0.13)
    colours = [colour for _, colour in cells.colorscale]
    middle, theme = len(colours) // 2, figures.DARK if dark else figures.LIGHT
    assert abs(luminance(colours[middle]) - luminance(theme.page)) < 0.12
    # either side moves away from the page, and as far
    for side in (colours[: middle + 1][::-1], colours[middle:]):
        steps = np.diff([luminance(colour) for colour in side])
        assert (steps > 0).all() if dark else (steps < 0).all()


def test_the_scale_of_a_difference_names_both_sides(view, similarity):
    compared = side_by_side(similarity, similarity)
    figure = figures.difference_heatmap(view, compared, names=("R²-CCA", "Procrustes"))
    assert figure.data[0].colorbar.title.text == "Procrustes less R²-CCA (0 = the same)"


def test_a_pair_that_has_the_frame_gets_no_ring():
    pairs = [("t0", "s1"), ("t1", "s0")]
    figure = figures.cross_heatmap(
        np.eye(2), ("t0", "t1"), ("s0", "s1"), metric="R²-CCA", pairs=pairs, picked=("t0", "s1")
    )
    for rings in figure.data[-2:]:
        assert list(zip(rings.y, rings.x, strict=True)) == [(1, 0)]
    assert {(shape.x0, shape.y0) for shape in figure.layout.shapes} == {(0.5, -0.5)}


def test_two_networks_are_drawn_with_the_pairs_that_were_trained():
    values = np.array([[0.2, 0.8, 0.4], [0.1, 0.3, 0.9]])
    pairs = [("t0", "s1"), ("t1", "s2")]
    figure = figures.cross_heatmap(
        values, ("t0", "t1"), ("s0", "s1", "s2"), metric="R²-CCA", pairs=pairs, clickable=True
    )
    np.testing.assert_array_equal(figure.data[0].z, values)
    ring = figure.data[-1]
    assert list(zip(ring.y, ring.x, strict=True)) == [(0, 1), (1, 2)]
    assert figure.layout.yaxis.ticktext == ("<b>t0</b>", "<b>t1</b>")
    assert figure.layout.xaxis.ticktext == ("s0", "<b>s1</b>", "<b>s2</b>")
    trained = [text for text in figure.data[1].hovertext if "a pair of the run" in text]
    assert len(trained) == 2 and trained[0].startswith("t0 · s1")


def test_names_that_are_too_long_for_the_axis_are_short_there_and_whole_when_pointed_at(similarity):
    names = tuple(f"backbone.encoder.stages.{n}.residual_branch.normalisation" for n in range(9))
    similarity = replace(similarity, layers=names)
    view = layer_view(similarity, cluster_layers(similarity, 3), [names[4]])
    shown = [str(n) for n in range(9)]
    shown[4] = "<b>4</b>"
    heatmap, tree = figures.heatmap(view), figures.dendrogram(view)
    assert heatmap.layout.yaxis.ticktext == tree.layout.yaxis.ticktext
    assert sorted(heatmap.layout.yaxis.ticktext) == sorted(shown)
    assert heatmap.data[0].customdata[0][0][0] == names[view.order[0]] == tree.data[1].customdata[0][1]
    points = figures.layer_map(view).data[1]
    assert points.text[4] == "<b>4</b>" and points.customdata[4][1] == names[4]


@pytest.mark.parametrize("count", [9, 50])
def test_the_names_of_a_heatmap_have_room(count):
    """Letters of 10 pixels, 8 where there are many; a bold one is up to two thirds as wide."""
    names = [f"stem{n}.{'x' * 3 * n}" for n in range(count - 1)] + ["y" * 25]
    figure = figures.cross_heatmap(np.eye(count), names, "ab", metric="R²-CCA")
    ticks = figure.layout.yaxis
    assert (
        max(map(len, ticks.ticktext)) * 0.65 * ticks.tickfont.size + ticks.ticklen <= figure.layout.margin.l
    )


@pytest.mark.parametrize("orientation", ["horizontal", "vertical"])
def test_the_dendrogram_is_one_line_and_leaves_that_say_who_they_are(view, orientation):
    lines, leaves = figures.dendrogram(view, orientation=orientation).data
    assert (lines.mode, lines.hoverinfo, lines.line.color) == ("lines", "skip", figures.LIGHT.line)
    distances, places = (lines.x, lines.y) if orientation == "horizontal" else (lines.y, lines.x)
    brackets = [distances[start : start + 4] for start in range(0, len(distances), 5)]
    assert [bracket[1] for bracket in brackets] == [branch.height for branch in view.branches]
    assert set(places[4::5]) == {None}
    order = list(view.order)
    assert leaves.mode == "markers"
    assert type(leaves.customdata) in (list, tuple)
    assert [list(pair) for pair in leaves.customdata] == [[layer, view.layers[layer]] for layer in order]
    assert list(leaves.marker.color) == [view.colour(layer) for layer in order]
    along, ground = (leaves.y, leaves.x) if orientation == "horizontal" else (leaves.x, leaves.y)
    assert list(along) == list(range(9))
    assert set(ground) == {0.0}


@pytest.mark.parametrize("orientation", ["horizontal", "vertical"])
def test_the_dendrogram_shows_cut_and_hint_points(similarity, orientation):
    own = cluster_layers(similarity, 3, method="agglomerative")
    view = layer_view(similarity, own, ["layer2", "layer7"])
    figure = figures.dendrogram(view, orientation=orientation)
    axis, along = (figure.layout.yaxis, "x0") if orientation == "horizontal" else (figure.layout.xaxis, "y0")
    (cut,) = figure.layout.shapes
    assert cut[along] == view.cut
    assert figure.layout.annotations[0].text == "K = 3"
    bold = {text for text in axis.ticktext if text.startswith("<b>")}
    assert bold == {"<b>layer2</b>", "<b>layer7</b>"}
    sizes = dict(zip(view.order, figure.data[1].marker.size, strict=True))
    assert {layer for layer, size in sizes.items() if size == max(sizes.values())} == {2, 7}


@pytest.mark.parametrize("orientation", ["horizontal", "vertical"])
def test_a_tree_that_did_not_make_the_clusters_says_whose_they_are(view, orientation):
    figure = figures.dendrogram(view, orientation=orientation)
    assert not figure.layout.shapes
    (word,) = figure.layout.annotations
    assert word.text == "average-linkage tree; colours: clusters of PURSUhInT"


def test_one_cluster_is_drawn_without_a_cut(similarity):
    view = layer_view(similarity, cluster_layers(similarity, 1))
    assert not figures.dendrogram(view).layout.shapes and not figures.dendrogram(view).layout.annotations


def test_the_layer_map_joins_layers_in_depth_order_and_names_hint_points(view):
    path, points = figures.layer_map(view).data
    np.testing.assert_array_equal(np.stack([path.x, path.y], axis=1), view.positions)
    assert [list(pair) for pair in points.customdata] == [[n, f"layer{n}"] for n in range(9)]
    assert [text for text in points.text if text] == ["<b>layer2</b>", "<b>layer7</b>"]
    assert points.hovertext[2].endswith("hint point") and not points.hovertext[3].endswith("hint point")


def test_names_stand_where_they_cover_fewest_points(view):
    places = np.array([0, 20, 40, 60, 80, 100, 120, 140, 600])
    row = np.stack([places, np.zeros(9)], axis=1)
    sides = name_sides(row, {0: "layer0", 4: "layer4", 7: "layer7"})
    assert sides == {0: "middle left", 4: "top center", 7: "middle right"}


def test_a_wide_screen_has_room_where_a_phone_has_none():
    column = np.array([[0, 0], [0, 16], [0, 32], [0, 48], [260, 220]])
    names = {point: f"layer1.{point}" for point in range(4)}
    assert set(name_sides(column, names, screen=(260, 220)).values()) == {"middle right"}
    assert len(set(name_sides(column, names).values())) > 1


def test_a_name_that_would_be_cut_off_stands_on_another_side():
    row = np.array([[0.0, 0.0], [50.0, 0.0], [100.0, 0.0]])
    screen, names = (100, 100), {2: "layer1.2"}
    assert name_sides(row, names, screen=screen) == {2: "middle right"}
    assert name_sides(row, names, screen=screen, margin=(70, 20)) == {2: "middle right"}
    assert name_sides(row, names, screen=screen, margin=(40, 20)) == {2: "top center"}


@pytest.mark.parametrize("apart", [(0, 0), (0, 10), (12, 0), (25, -9), (40, 0), (40, 8), (70, 5), (130, 0)])
def test_names_of_near_points_do_not_hide_each_other(apart):
    """Two neighbours, on a map of a phone; the names' boxes as plotly draws them."""
    positions = np.array([[0.0, 0.0], apart, [-50.0, 50.0], [130.0, -90.0]])
    boxes = []
    for point, side in name_sides(positions, {0: "layer1.1", 1: "layer1.2"}).items():
        vertical, horizontal = side.split()
        x = {"left": -68, "right": 10, "center": -29}[horizontal] + positions[point, 0]
        y = {"top": 10, "middle": -7, "bottom": -24}[vertical] + positions[point, 1]
        boxes.append((x, x + 58, y, y + 14))
    first, second = boxes
    beside = first[1] <= second[0] or second[1] <= first[0]
    assert beside or first[3] <= second[2] or second[3] <= first[2]


def test_the_layer_map_puts_names_on_their_sides(view):
    crowded = replace(view, positions=np.zeros((9, 2)))
    _, points = figures.layer_map(crowded).data
    assert (points.textposition[2], points.textposition[7]) == ("middle right", "middle left")


def test_the_image_map_colours_classes():
    positions = np.arange(24.0).reshape(12, 2)
    figure = figures.image_map(positions, [2, 10, 9] * 4)
    assert [trace.name for trace in figure.data] == ["2", "9", "10"]
    assert [trace.marker.color for trace in figure.data] == list(COLOURS.values())[:3]
    assert figure.layout.showlegend
    np.testing.assert_array_equal(figure.data[0].x, positions[::3, 0])
    assert list(figure.data[1].customdata[0]) == [2, 9]


def test_the_image_map_of_many_classes_or_none_has_no_legend():
    positions = np.arange(44.0).reshape(22, 2)
    assert not figures.image_map(positions, range(22)).layout.showlegend
    plain = figures.image_map(positions)
    assert len(plain.data) == 1 and not plain.layout.showlegend


def test_silhouette_bars_mark_the_chosen_number():
    (bars,) = figures.silhouette_bars({2: 0.4, 3: 0.61, 4: -0.1}, chosen=3).data
    assert list(bars.x) == [2, 3, 4] and list(bars.y) == [0.4, 0.61, -0.1]
    assert [list(pair) for pair in bars.customdata] == [[2], [3], [4]]
    assert [colour == figures.LIGHT.accent for colour in bars.marker.color] == [False, True, False]
    assert list(bars.text) == ["0.40", "0.61", "-0.10"]


def test_curves_put_losses_left_and_accuracies_right_and_leave_gaps():
    figure = figures.curves(HISTORY)
    assert {trace.name: trace.xaxis for trace in figure.data} == {
        "loss": "x",
        "loss_cls": "x",
        "accuracy": "x2",
        "loss_hint": "x",
    }
    assert [list(trace.y) for trace in figure.data if trace.name == "loss_hint"] == [[None, 0.2]]
    assert figure.layout.yaxis.type == "log" and figure.layout.yaxis2.type != "log"
    assert figures.curves([]).data == ()


def test_what_cannot_be_drawn_is_refused(view):
    with pytest.raises(InputError, match=r"unknown orientation `horizontl`: did you mean `horizontal`\?"):
        figures.dendrogram(view, orientation="horizontl")
    with pytest.raises(InputError, match=r"`positions` must have the shape \(images, 2\): found \(5, 3\)"):
        figures.image_map(np.zeros((5, 3)))
    with pytest.raises(InputError, match=r"class of each of the 5 images: found 4"):
        figures.image_map(np.zeros((5, 2)), ["a"] * 4)
    with pytest.raises(InputError, match=r"needs `epoch`: row 1 has loss"):
        figures.curves([{"epoch": 0}, {"loss": 1.0}])
