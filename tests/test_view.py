"""What is to be drawn, against scipy's dendrogram and simulated colour blindness."""

import itertools
import json

import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram, fcluster

from pursuhint.clustering import METHODS, cluster_layers, linkage, preset_clustering
from pursuhint.embedding import map_layers
from pursuhint.errors import InputError
from pursuhint.layers import Layer
from pursuhint.similarity import SimilarityMatrix
from pursuhint.view import COLOURS, branches, cut_heights, ink, layer_view, leaf_order

VISIONS = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Machado, Oliveira, Fernandes, 2009, severity 1, on linear RGB."""


def make_similarity(depth: int, seed: int = 0) -> SimilarityMatrix:
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=(depth, 3)), axis=0)
    values = np.exp(-np.linalg.norm(walk[:, None] - walk[None], axis=-1) / 4)
    return SimilarityMatrix(
        values, tuple(f"layer1.{block}" for block in range(depth)), "cka_linear", "mean", 1000, {}, {}
    )


@pytest.fixture
def similarity() -> SimilarityMatrix:
    return make_similarity(12)


def linear_rgb(colour: str) -> np.ndarray:
    channels = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear_rgb(colour) @ [0.2126, 0.7152, 0.0722])


def lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    white = to_xyz.sum(axis=1)
    x, y, z = np.cbrt(to_xyz @ np.clip(linear, 0, 1) / white)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_colours_differ_to_every_kind_of_colour_vision(vision):
    seen = [lab(np.array(VISIONS[vision]) @ linear_rgb(colour)) for colour in COLOURS.values()]
    assert (
        min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 18
    )  # 2.3 is just noticeable


@pytest.mark.parametrize(("page", "least"), [("#ffffff", 2.1), ("#171a24", 2.5)])
def test_colours_stand_out_from_light_and_dark_pages(page, least):
    for colour in COLOURS.values():
        low, high = sorted((luminance(colour), luminance(page)))
        assert (high + 0.05) / (low + 0.05) > least


@pytest.mark.parametrize("seed", range(10))
def test_the_leaf_order_keeps_children_together_and_the_shallower_first(seed):
    tree = linkage(make_similarity(15, seed))
    order = leaf_order(tree)
    assert sorted(order) == list(range(15))
    below = [{leaf} for leaf in range(15)]
    for first, second, *_ in tree:
        sides = [below[int(first)], below[int(second)]]
        places = [sorted(order.index(leaf) for leaf in side) for side in sides]
        assert all(there[-1] - there[0] + 1 == len(there) for there in places)
        means = [np.mean(list(side)) for side in sides]
        assert means[0] == means[1] or (means[0] < means[1]) == (places[0] < places[1])
        below.append(sides[0] | sides[1])


@pytest.mark.parametrize("seed", range(5))
def test_branches_agree_with_scipy(seed):
    tree = linkage(make_similarity(15, seed))
    expected = dendrogram(tree, no_plot=True)
    found = branches(tree, expected["leaves"], [0] * 15)
    brackets = {(branch.at, branch.heights, branch.height) for branch in found}
    for x, y in zip(expected["icoord"], expected["dcoord"], strict=True):
        at = tuple((np.array([x[0], x[2]]) - 5) / 10)
        assert ((at, (y[0], y[3]), y[1])) in brackets
    assert len(brackets) == 14


def test_without_crossing_brackets_share_no_leaf_span_unless_nested(similarity):
    view = layer_view(similarity, cluster_layers(similarity, 3))
    spans = {frozenset(branch.at) for branch in view.branches}
    assert len(spans) == 11
    assert [branch.height for branch in view.branches] == sorted(branch.height for branch in view.branches)


def test_a_branch_has_a_cluster_where_all_its_leaves_do(similarity):
    view = layer_view(similarity, cluster_layers(similarity, 3, method="agglomerative"))
    inside = [branch for branch in view.branches if branch.height < view.cut]
    outside = [branch for branch in view.branches if branch.height > view.cut]
    assert all(branch.cluster is not None for branch in inside)
    assert len(outside) == 2
    assert all(branch.cluster is None for branch in outside)


@pytest.mark.parametrize("clusters", range(2, 13))
def test_the_cut_gives_k_pieces(similarity, clusters):
    view = layer_view(similarity, cluster_layers(similarity, clusters, method="agglomerative"))
    assert fcluster(linkage(similarity), view.cut, "distance").max() == clusters


def test_one_cluster_has_no_cut(similarity):
    assert layer_view(similarity, cluster_layers(similarity, 1, method="agglomerative")).cut is None


@pytest.mark.parametrize("method", METHODS)
def test_only_clusters_that_a_cut_leaves_have_one(similarity, method):
    view = layer_view(similarity, cluster_layers(similarity, 3, method=method))
    assert view.method == METHODS[method].title
    if method in ("agglomerative", "complete", "ward"):
        inside = [branch for branch in view.branches if branch.height < view.cut]
        assert all(branch.cluster is not None for branch in inside)
        assert len(view.branches) - len(inside) == 2
    else:
        assert view.cut is None
        assert max(branch.height for branch in view.branches) == linkage(similarity)[-1, 2]


@pytest.mark.parametrize("method", ["agglomerative", "ward"])
def test_every_height_to_cut_at_gives_its_number_of_pieces(similarity, method):
    tree = linkage(similarity, method)
    cuts = cut_heights(tree)
    assert [fcluster(tree, cut, "distance").max() for cut in cuts] == list(range(1, 13))
    assert list(cuts) == sorted(cuts, reverse=True)
    view = layer_view(similarity, cluster_layers(similarity, 4, method=method))
    assert view.cuts == cuts and view.cut == cuts[3]


def test_clusters_around_a_preset_are_drawn_on_the_average_tree(similarity):
    clustering = preset_clustering(similarity, ["layer1.2", "layer1.9"], method="stage_ends")
    view = layer_view(similarity, clustering)
    assert view.method == "Stage ends" and view.cut is None
    assert view.hints == (2, 9)


def test_clusters_colours_and_hints(similarity):
    clustering = cluster_layers(similarity, 3)
    view = layer_view(similarity, clustering)
    assert view.colours == ("blue", "orange", "green")
    assert view.metric == "Linear CKA"
    assert tuple(view.layers[layer] for layer in view.centres) == clustering.centres
    assert view.hints == view.centres
    for number, names in enumerate(clustering.clusters):
        for name in names:
            layer = view.layers.index(name)
            assert view.clusters[layer] == number
            assert view.cluster_name(layer) == "ABC"[number]
            assert view.colour(layer) == list(COLOURS.values())[number]
    np.testing.assert_array_equal(view.positions, map_layers(similarity))


def test_hints_chosen_by_hand_are_put_in_depth_order_once(similarity):
    names = ["layer1.7", "layer1.2", "layer1.7"]
    assert layer_view(similarity, cluster_layers(similarity, 3), names).hints == (2, 7)
    assert layer_view(similarity, cluster_layers(similarity, 3), []).hints == ()


def test_depth_order_is_kept_on_request(similarity):
    view = layer_view(similarity, cluster_layers(similarity, 3), order="depth")
    assert view.order == tuple(range(12))
    assert {branch.height for branch in view.branches} == set(linkage(similarity)[:, 2])


def test_colours_and_letters_go_on_for_many_clusters():
    similarity = make_similarity(30)
    view = layer_view(similarity, cluster_layers(similarity, 30))
    assert view.colours[:10] == tuple(COLOURS)
    assert view.colours[10:20] == tuple(COLOURS)
    assert [view.cluster_name(layer) for layer in (0, 25, 26)] == ["A", "Z", "27"]


def test_a_view_as_json(similarity):
    view = layer_view(similarity, cluster_layers(similarity, 3), ["layer1.4"])
    again = json.loads(json.dumps(view.to_dict()))
    assert again["colours"] == ["#3b6fd4", "#e07b39", "#2f9e77"]
    assert again["hints"] == [4]
    assert again["order"] == list(view.order)
    assert len(again["branches"]) == 11
    assert set(again["branches"][0]) == {"at", "heights", "height", "cluster"}
    np.testing.assert_allclose(again["similarity"], similarity.values, atol=5e-5)
    np.testing.assert_allclose(again["positions"], view.positions, atol=5e-5)


def test_stages_come_with_layers_that_are_described(similarity):
    clustering = cluster_layers(similarity, 3)
    described = [Layer(f"layer1.{i}", "Block", (16 << i // 5, 8, 8), 100, i // 5) for i in range(13)]
    view = layer_view(similarity, clustering, described=described)
    assert [(s.first, s.count, s.shape) for s in view.stages] == [
        (0, 5, "16 ch · 8×8"),
        (5, 5, "32 ch · 8×8"),
        (10, 2, "64 ch · 8×8"),
    ]
    assert view.to_dict()["stages"][2] == {"first": 10, "count": 2, "shape": "64 ch · 8×8"}
    assert layer_view(similarity, clustering).stages == ()


def test_what_a_layer_is_in_words(similarity):
    clustering = cluster_layers(similarity, 3)
    first, second, _ = clustering.centres
    other = next(name for name in clustering.clusters[2] if name not in clustering.centres)
    view = layer_view(similarity, clustering, [second, other])
    said = dict(zip(view.layers, view.to_dict()["standings"], strict=True))
    assert said[first] == "cluster A"
    places = {
        name: f"HP{place}" for place, name in enumerate(sorted([second, other], key=view.layers.index), 1)
    }
    assert said[second] == f"{places[second]} · centre of B"
    assert said[other] == f"{places[other]} · cluster C"


@pytest.mark.parametrize("colour", COLOURS.values())
def test_words_on_a_colour_can_be_read(colour):
    low, high = sorted((luminance(colour), luminance(ink(colour))))
    assert (high + 0.05) / (low + 0.05) > 3  # WCAG 2.2, level AA, for bold words


def test_the_scale_of_colours_begins_below_the_lowest_similarity(similarity):
    low, high = layer_view(similarity, cluster_layers(similarity, 3)).scale
    assert low <= similarity.values.min() < low + 0.1 and high == 1.0


def test_what_does_not_fit_is_refused(similarity):
    clustering = cluster_layers(similarity, 3)
    with pytest.raises(InputError, match=r"unknown order `dept`: did you mean `depth`\?"):
        layer_view(similarity, clustering, order="dept")
    with pytest.raises(InputError, match=r"unknown hint point `layer1\.77`: did you mean `layer1\.7`\?"):
        layer_view(similarity, clustering, ["layer1.77"])
    with pytest.raises(
        InputError, match="matrix's own 5 layers: found one of 12 layers; cluster this matrix again"
    ):
        layer_view(make_similarity(5), clustering)
    with pytest.raises(InputError, match=r"`positions` must have the shape \(12, 2\), found \(12, 3\)"):
        layer_view(similarity, clustering, positions=np.zeros((12, 3)))
