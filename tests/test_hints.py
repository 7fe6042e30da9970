from __future__ import annotations

import numpy as np
import pytest

from pursuhint.clustering import (
    METHODS,
    PRESETS,
    cluster_layers,
    random_layers,
    silhouette_curve,
    suggested_clusters,
    uniform,
)
from pursuhint.errors import InputError
from pursuhint.hints import choose_hints
from pursuhint.layers import stage_ends
from pursuhint.plan import HintPlan
from pursuhint.similarity import similarity_matrix


def test_the_choice_is_matrix_then_clusters_then_centres(tiny_analysis):
    plan = choose_hints(tiny_analysis, metric="cka_linear", clusters=2, method="agglomerative")
    clustering = cluster_layers(tiny_analysis.similarity("cka_linear"), 2, method="agglomerative")
    assert plan.hint_points == clustering.centres
    assert plan.clusters == clustering.clusters
    assert plan.silhouette == clustering.silhouette


def test_as_many_clusters_as_layers_makes_every_layer_a_hint_point(tiny_analysis):
    plan = choose_hints(tiny_analysis, metric="cka_linear", clusters=6)
    assert plan.hint_points == plan.layers


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "cka_liner"}, "unknown metric `cka_liner`: did you mean `cka_linear`"),
        (
            {"metric": "cka_linear", "method": "pursuhnt"},
            "method `pursuhnt`: did you mean `pursuhint`",
        ),
        ({"metric": "cka_linear", "method": "stage_end"}, "did you mean `stage_ends`"),
        ({"metric": "cka_linear", "clusters": "many"}, "must be a number or `auto`: found `many`; give one"),
        ({"method": "manual"}, "`manual`, which needs at least one: found none with `manual`; name layers"),
        ({"hint_points": ["a", "b"]}, "found `a`, `b` with `pursuhint`; name layers and choose `manual`"),
        (
            {"metric": "cka_linear", "method": "manual", "hint_points": ["a"]},
            "unknown hint point `a`. Known: layer1.0",
        ),
        ({"metric": "cka_linear", "method": "uniform", "clusters": 7}, "number of layers, 6: found 7"),
        ({"metric": "cka_linear", "clusters": 7}, "7"),
        ({"metric": "cka_linear", "clusters": 0}, "0"),
    ],
)
def test_what_does_not_fit_is_refused(tiny_analysis, options: dict, message: str):
    with pytest.raises(InputError, match=message):
        choose_hints(tiny_analysis, **options)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_plan(tiny_analysis, method: str):
    plan = choose_hints(tiny_analysis, metric="cka_linear", clusters=2, method=method)
    assert plan.method == method
    assert len(plan.hint_points) == len(plan.clusters) == 2
    assert HintPlan.from_json(plan.model_dump(mode="json")) == plan


def test_every_preset_makes_a_plan(tiny_analysis):
    names = [layer.name for layer in tiny_analysis.layers]
    expected = {
        "stage_ends": tuple(stage_ends(tiny_analysis.layers)),
        "uniform": uniform(names, 2),
        "random": random_layers(names, 2, seed=5),
        "manual": (names[0], names[4]),
    }
    for method, hint_points in expected.items():
        mine = {"hint_points": [names[4], names[0]]} if method == "manual" else {}
        plan = choose_hints(tiny_analysis, metric="cka_linear", clusters=2, method=method, seed=5, **mine)
        assert plan.method == method
        assert plan.hint_points == plan.centres == hint_points
        assert all(centre in names for centre, names in zip(plan.centres, plan.clusters, strict=True))
        assert HintPlan.from_json(plan.model_dump(mode="json")) == plan
    assert set(expected) == set(PRESETS)


def test_the_silhouette_chooses_k(tiny_analysis):
    similarity = tiny_analysis.similarity("cka_linear")
    for method in METHODS:
        plan = choose_hints(tiny_analysis, metric="cka_linear", clusters="auto", method=method)
        assert len(plan.clusters) == suggested_clusters(silhouette_curve(similarity, method=method))
    usual = choose_hints(tiny_analysis, metric="cka_linear", clusters="auto")
    for method in ("uniform", "random"):
        plan = choose_hints(tiny_analysis, metric="cka_linear", clusters="auto", method=method)
        assert len(plan.clusters) == len(usual.clusters)


def test_fewer_probe_images_are_the_first_ones(tiny_analysis):
    half = tiny_analysis.card.samples // 2
    plan = choose_hints(tiny_analysis, metric="cka_linear", clusters=2, samples=half)
    alone = similarity_matrix(
        {one.name: tiny_analysis.features(one.name)[:half] for one in tiny_analysis.layers},
        metric="cka_linear",
    )

    np.testing.assert_array_equal(tiny_analysis.similarity("cka_linear", samples=half).values, alone.values)
    assert plan.sample_ids == tuple(tiny_analysis.probe["ids"][:half].tolist())


def test_more_images_than_the_analysis_has_are_refused(tiny_analysis):
    most = tiny_analysis.card.samples
    with pytest.raises(InputError, match=rf"`samples` must lie between 1 and {most}, .*; found {most + 1}"):
        tiny_analysis.similarity("cka_linear", samples=most + 1)
