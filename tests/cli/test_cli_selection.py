"""Commands about the choice of hint points: presets, stability, compare, kept work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pursuhint.plan import HintPlan

LAYERS = ["layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0", "layer3.1"]


@pytest.fixture
def analysis(tiny_analysis, tmp_path: Path) -> tuple[str, ...]:
    """The options that name a copy of the tiny analysis, which may be written to."""
    shutil.copytree(tiny_analysis.path, tmp_path / "analysis")
    return ("--analysis", str(tmp_path / "analysis"), "--metric", "cka_linear")


def test_presets_choose_without_looking(pursuhint, analysis):
    ends = pursuhint("hints", *analysis, "--method", "stage_ends", "--json").json
    assert ends["hint_points"] == ["layer1.1", "layer2.1", "layer3.1"]
    uniform = pursuhint("hints", *analysis, "--method", "uniform", "--clusters", "2", "--json").json
    assert uniform["hint_points"] == ["layer1.1", "layer3.0"]
    drawn = [
        pursuhint("hints", *analysis, "--method", "random", "--seed", seed, "--json").json["hint_points"]
        for seed in (1, 1, 2, 3, 4)
    ]
    assert drawn[0] == drawn[1] and len({tuple(one) for one in drawn}) > 1


def test_hint_points_by_hand(pursuhint, analysis, tmp_path: Path):
    chosen = ("--method", "manual", "--hint-point", "layer3.0", "--hint-point", "layer1.0")
    answer = pursuhint("hints", *analysis, *chosen, "--out", tmp_path / "mine.json", "--json")
    assert answer.json["hint_points"] == ["layer1.0", "layer3.0"]
    assert HintPlan.load(tmp_path / "mine.json").method == "manual"
    line = pursuhint("hints", *analysis, "--method", "manual", "--hint-point", "layer9.0").refused()
    assert "`layer9.0`" in line and "layer1.0" in line
    assert "needs at least one: found none" in pursuhint("hints", *analysis, "--method", "manual").refused()


def test_the_number_of_clusters_can_be_left_to_the_silhouette(pursuhint, analysis):
    found = pursuhint("hints", *analysis, "--clusters", "auto", "--json").json
    assert len(found["hint_points"]) == found["suggested_clusters"]
    curve = found["silhouette_curve"]
    assert curve[str(found["suggested_clusters"])] == max(curve.values())
    assert 0 < found["coverage"]["value"] <= found["coverage"]["best"] <= 1
    line = pursuhint("hints", *analysis, "--clusters", "many").refused()
    assert line == "`--clusters` must be a whole number or `auto`: found `many`"


@pytest.mark.parametrize("clusters", [0, 7, -1])
def test_a_number_of_clusters_that_cannot_be_is_refused(pursuhint, analysis, clusters):
    line = pursuhint("hints", *analysis, "--clusters", clusters).refused()
    assert f"must lie between 1 and the number of layers, 6: found {clusters}" in line


def test_stability_says_how_often_each_layer_is_chosen(pursuhint, analysis):
    asked = ("stability", *analysis, "--resamples", "10", "--also", "cka_rbf")
    found = pursuhint(*asked, "--json").json
    assert (found["images"], found["resamples"], found["share"]) == (200, 10, 0.8)
    assert list(found["frequency"]) == LAYERS
    assert sum(found["frequency"].values()) == pytest.approx(3)
    assert list(found["agreement_between_metrics"]) == ["cka_rbf"]
    assert len(found["half_widths"]) == 6 and found["half_widths"][0][0] == 0
    low, high = found["coverage"]["interval"]
    assert low <= found["coverage"]["value"] <= high
    text = pursuhint(*asked).out
    assert "10 subsets of 80 % of 200 images" in text and "clusters by cka_rbf agree" in text


def test_the_stability_at_the_suggested_number_of_clusters(pursuhint, analysis):
    suggested = pursuhint("hints", *analysis, "--clusters", "auto", "--json").json["clusters"]
    found = pursuhint("stability", *analysis, "--clusters", "auto", "--resamples", "5", "--json").json
    assert len(found["hint_points"]) == len(suggested)


def test_the_stability_of_a_preset(pursuhint, analysis):
    found = pursuhint("stability", *analysis, "--method", "stage_ends", "--resamples", "5", "--json").json
    assert found["hint_points"] == ["layer1.1", "layer2.1", "layer3.1"]
    assert found["frequency"]["layer1.1"] == 1.0


@pytest.mark.parametrize("resamples", [1, 0, -3])
def test_too_few_resamples_are_refused(pursuhint, analysis, resamples):
    line = pursuhint("stability", *analysis, "--resamples", resamples).refused()
    assert (
        f"`resamples` must be 2 or more, for one subset has nothing to agree with: found {resamples}" in line
    )


def test_plans_are_compared(pursuhint, analysis, tmp_path: Path):
    for name, method in (("a", "pursuhint"), ("b", "uniform")):
        assert pursuhint("hints", *analysis, "--method", method, "--out", tmp_path / f"{name}.json").code == 0
    asked = ("compare", "--plans", tmp_path / "a.json", tmp_path / "b.json", *analysis[:2])
    found = pursuhint(*asked, "--json").json
    assert [one["method"] for one in found["plans"]] == ["pursuhint", "uniform"]
    assert found["agreement"][0][0] == 1.0 and found["metric"] == "cka_linear"
    assert str(tmp_path / "b.json") in pursuhint(*asked).out


def test_without_an_analysis_the_plan_says_which_to_make(pursuhint, analysis, tmp_path: Path):
    assert pursuhint("hints", *analysis, "--out", tmp_path / "a.json").code == 0
    found = pursuhint("compare", "--plans", tmp_path / "a.json", "--json").json
    assert found["images"] == 200


def test_there_must_be_a_plan_to_compare(pursuhint):
    assert "name the plans to compare" in pursuhint("compare").refused()


def test_flattened_activations_from_the_command_line(pursuhint, teacher):
    asked = ("similarity", *teacher, "--samples", "300", "--pooling", "flatten")
    found = pursuhint(*asked, "--metric", "cka_linear_debiased", "--json").json
    assert (found["pooling"], found["samples"]) == ("flatten", 300)
    line = pursuhint(*asked, "--metric", "r2_cca").refused()
    assert "the pooling `flatten` allows `cka_linear_debiased` only: found `r2_cca`" in line


def test_a_grid_and_a_pooling_that_does_not_fit(pursuhint, teacher):
    asked = ("similarity", *teacher, "--samples", "100", "--metric", "cka_linear", "--json")
    assert pursuhint(*asked, "--pooling", "grid2").json["pooling"] == "grid2"
    line = pursuhint(*asked, "--pooling", "cls").refused()
    assert "pooling `cls` needs a class token: layer `layer1.0` puts out the shape" in line
    assert "unknown pooling `grid3`" in pursuhint(*asked, "--pooling", "grid3").refused()


def test_features_beyond_the_limit_are_refused_before_the_start(pursuhint, teacher):
    line = pursuhint("similarity", *teacher, "--samples", "500", "--disk-limit", "0.00001").refused()
    assert "the features of 6 layers for 500 images would take" in line and "more than the 10.0 kB" in line


def test_kept_work_is_listed_and_cleared(pursuhint, teacher):
    assert pursuhint("similarity", *teacher, "--samples", "100", "--metric", "cka_linear").code == 0
    found = pursuhint("cache", "list", "--json").json
    (kept,) = found["kept"]
    assert kept["kind"] == "analysis" and found["bytes"] == kept["bytes"] > 0
    assert kept["id"] in pursuhint("cache", "list").out
    assert "name what to remove" in pursuhint("cache", "clear").refused()
    assert "unknown kept work `other`" in pursuhint("cache", "clear", "other").refused()
    assert pursuhint("cache", "clear", kept["id"], "--json").json["bytes"] == kept["bytes"]
    assert "0.0 kB of 20 GB kept" in pursuhint("cache", "list").out
