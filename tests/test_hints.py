from __future__ import annotations

import numpy as np
import pytest

from pursuhint.clustering import cluster_layers
from pursuhint.errors import InputError
from pursuhint.hints import choose_hints
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
        ({"metric": "cka_linear", "method": "pursuhnt"}, "did you mean `pursuhint`"),
        ({"metric": "cka_linear", "clusters": 7}, "7"),
        ({"metric": "cka_linear", "clusters": 0}, "0"),
    ],
)
def test_what_does_not_fit_is_refused(tiny_analysis, options: dict, message: str):
    with pytest.raises(InputError, match=message):
        choose_hints(tiny_analysis, **options)


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
