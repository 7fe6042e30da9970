from __future__ import annotations

import pytest

from pursuhint.clustering import cluster_layers
from pursuhint.errors import InputError
from pursuhint.hints import choose_hints


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
