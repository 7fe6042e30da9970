"""The whole measurement: planted groups are stable, noise is not, and each number by a second route."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from pursuhint.clustering import METHODS, PRESETS, cluster_layers, silhouette
from pursuhint.coverage import best_plan, coverage
from pursuhint.errors import InputError
from pursuhint.similarity import similarity_matrix
from pursuhint.stability import Stability, draw_subsets, jackknife, leave_one_out, measure_stability
from tests.stability.naive_blocks import NaiveBlocks, grouped_features


@pytest.fixture(scope="module")
def planted() -> NaiveBlocks:
    return NaiveBlocks(grouped_features([4, 3, 4], samples=400))


@pytest.fixture(scope="module")
def blurred() -> NaiveBlocks:
    """Groups that a few hundred images hardly tell."""
    return NaiveBlocks(grouped_features([4, 3, 4], samples=160, noise=6.0))


@pytest.mark.parametrize("method", METHODS)
def test_planted_groups_are_found_whatever_the_images(planted, method):
    found = measure_stability(planted, metric="cka_linear", method=method, clusters=3, resamples=10)
    assert found.agreement == 1.0 and found.agreement_range == (1.0, 1.0)
    assert found.clusters == 3 and found.method == method
    assert sum(found.frequency.values()) == pytest.approx(3)


@pytest.mark.parametrize("method", METHODS)
def test_noise_has_no_stable_clusters(method):
    noise = NaiveBlocks(grouped_features([1] * 12, samples=160))
    found = measure_stability(noise, metric="cka_linear", method=method, clusters=3, resamples=20)
    assert found.agreement < 0.75
    assert found.agreement_range[0] < found.agreement < found.agreement_range[1]
    assert max(found.frequency.values()) <= 1.0 and len({*found.frequency.values()}) > 2


def test_every_number_by_a_second_route(blurred):
    found = measure_stability(
        blurred,
        metric="cka_linear",
        method="kmedoids",
        resamples=12,
        seed=3,
        metrics=["cka_linear", "r2_cca"],
    )
    compare = {"metric": "cka_linear"}
    full = similarity_matrix(blurred.representations, **compare)
    whole = cluster_layers(full, 3, method="kmedoids")
    of_subsets = []
    for subset in draw_subsets(20, 12, seed=3):
        rows = np.isin(np.arange(160) % 20, subset)
        part = {name: features[rows] for name, features in blurred.representations.items()}
        of_subsets.append(cluster_layers(similarity_matrix(part, **compare), 3, method="kmedoids"))

    scores = [adjusted_rand_score(whole.labels(), one.labels()) for one in of_subsets]
    assert found.agreement == pytest.approx(np.mean(scores)) != 1.0
    assert found.agreement_range == pytest.approx(np.quantile(scores, [0.05, 0.95]))
    for name, share in found.frequency.items():
        assert share == pytest.approx(sum(name in one.centres for one in of_subsets) / 12)
    assert list(found.frequency) == list(full.layers)

    other = cluster_layers(similarity_matrix(blurred.representations, metric="r2_cca"), 3, method="kmedoids")
    expected = adjusted_rand_score(whole.labels(), other.labels())
    assert found.agreement_between_metrics == {"r2_cca": pytest.approx(expected)}

    stack = leave_one_out(blurred, "cka_linear")
    hints = [full.layers.index(name) for name in whole.centres]
    covered = jackknife(coverage(full.values, hints), [coverage(one, hints) for one in stack], bounds=(0, 1))
    assert found.coverage.value == pytest.approx(covered.estimate)
    assert found.coverage.interval == pytest.approx(covered.interval)
    assert found.coverage.best == best_plan(full.values, 3).value
    labels = np.array(whole.labels())
    alone = [silhouette(np.clip(1 - one, 0, None) * (1 - np.eye(11)), labels) for one in stack]
    assert found.silhouette_interval == pytest.approx(jackknife(whole.silhouette, alone).interval)
    np.testing.assert_allclose(found.half_widths, jackknife(full.values, stack).half_width)

    assert found.centres == found.hint_points == whole.centres
    assert (found.silhouette, found.images, found.resamples, found.share) == (whole.silhouette, 160, 12, 0.8)


def test_hint_points_of_a_person_are_what_is_covered(planted):
    mine = ["layer9", "layer0"]
    found = measure_stability(planted, metric="cka_linear", resamples=3, hint_points=mine)
    automatic = measure_stability(planted, metric="cka_linear", resamples=3)
    assert found.hint_points == ("layer0", "layer9")
    assert found.coverage.count == 2
    assert found.coverage.value == coverage(planted.values("cka_linear"), [0, 9])
    assert found.centres == automatic.centres and found.frequency == automatic.frequency


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_always_chooses_the_same(planted, preset):
    mine = ["layer0", "layer5"]
    found = measure_stability(
        planted, metric="cka_linear", method=preset, clusters=7, resamples=3, hint_points=mine
    )
    assert found.centres == ("layer0", "layer5") and found.clusters == 2
    assert {name: share for name, share in found.frequency.items() if share} == dict.fromkeys(mine, 1.0)


def test_one_cluster_has_no_silhouette_and_is_always_the_same(planted):
    found = measure_stability(planted, metric="cka_linear", clusters=1, resamples=3)
    assert found.silhouette is None and found.silhouette_interval is None
    assert found.agreement == 1.0


def test_the_same_seed_gives_the_same_answer(blurred):
    first, second, other = (
        measure_stability(blurred, metric="cka_linear", resamples=5, seed=seed).as_dict()
        for seed in (1, 1, 2)
    )
    assert first == second != other


def test_it_survives_json(blurred):
    found = measure_stability(blurred, metric="cka_linear", resamples=3, metrics=["r2_cca"])
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain == found.as_dict() and "half_widths" not in plain
    again = Stability.from_dict(plain, half_widths=found.half_widths)
    assert again.as_dict() == plain
    assert again.coverage == found.coverage and again.centres == found.centres
    np.testing.assert_array_equal(again.half_widths, found.half_widths)


def test_progress_is_told(planted):
    told = []
    measure_stability(planted, metric="cka_linear", resamples=3, progress=lambda *where: told.append(where))
    assert told == [("resamples", n, 3) for n in (1, 2, 3)] + [("intervals", n, 20) for n in range(1, 21)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "cka_liner"}, "unknown metric `cka_liner`: did you mean `cka_linear`"),
        ({"metrics": ["r2cca"]}, "unknown metric `r2cca`: did you mean `r2_cca`"),
        ({"method": "unifrom"}, "unknown method `unifrom`: did you mean `uniform`"),
        ({"method": "uniform"}, "the preset `uniform` is measured around .* found none; give `hint_points`"),
        ({"hint_points": ["layer99"]}, "unknown hint point `layer99`"),
        ({"hint_points": []}, "at least one hint point is needed: found none"),
        ({"resamples": 1}, "`resamples` must be 2 or more"),
        ({"clusters": 12}, "number of layers, 11: found 12"),
    ],
)
def test_what_does_not_fit_is_refused(planted, options: dict, message: str):
    with pytest.raises(InputError, match=message):
        measure_stability(planted, **{"metric": "cka_linear", "resamples": 3} | options)
