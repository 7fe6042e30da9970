"""Coverage against values found by hand, and the best plans against trying every one with loops."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict

import numpy as np
import pytest

from pursuhint import coverage as module
from pursuhint.coverage import best_plan, coverage, coverage_report, random_coverage, swap_changes
from pursuhint.errors import InputError
from tests.clustering.matrices import planted_matrix, random_matrix

LINE = np.array([[1.0, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 1.0]])


def every_plan(values: np.ndarray, count: int) -> dict[tuple[int, ...], float]:
    return {
        plan: sum(max(row[hint] for hint in plan) for row in values) / len(values)
        for plan in itertools.combinations(range(len(values)), count)
    }


def test_coverage_is_the_mean_similarity_to_the_nearest_hint_point():
    assert coverage(LINE, [0]) == pytest.approx((1 + 0.5 + 0.25) / 3)
    assert coverage(LINE, [2, 0]) == pytest.approx((1 + 0.5 + 1) / 3)
    assert coverage(LINE, [0, 1, 2]) == 1.0


def test_coverage_rises_with_every_point():
    values = random_matrix(12).values
    order = np.random.default_rng(0).permutation(12)
    rising = [coverage(values, order[:count]) for count in range(1, 13)]
    assert (np.diff(rising) > 0).all()
    assert rising[-1] == 1.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_the_best_plan_is_the_best_of_all(count, seed):
    values = random_matrix(9, seed).values
    plans = every_plan(values, count)
    found = best_plan(values, count)
    assert found.exact
    assert found.hints == max(plans, key=plans.get)
    assert found.value == pytest.approx(max(plans.values())) == coverage(values, found.hints)


def test_of_equally_good_plans_the_shallower_is_taken():
    assert best_plan(np.full((6, 6), 0.1) + 0.9 * np.eye(6), 3).hints == (0, 1, 2)


def test_many_plans_are_tried_in_parts(monkeypatch):
    values = random_matrix(9).values
    whole = best_plan(values, 4), random_coverage(values, 4)
    monkeypatch.setattr(module, "CHUNK", 7)
    assert (best_plan(values, 4), random_coverage(values, 4)) == whole


def test_where_there_are_too_many_plans_a_search_says_so(monkeypatch):
    values = random_matrix(14, seed=2).values
    exact = best_plan(values, 4)
    monkeypatch.setattr(module, "MOST_COMBINATIONS", 100)
    found = best_plan(values, 4)
    assert exact.exact and not found.exact
    assert found.hints == exact.hints
    assert best_plan(values, 4, seed=9).value == found.value == pytest.approx(coverage(values, found.hints))


def test_planted_groups_are_covered_by_one_layer_each():
    found = best_plan(planted_matrix([5, 8, 6]).values, 3)
    assert [np.searchsorted([5, 13, 19], hint, side="right") for hint in found.hints] == [0, 1, 2]


def test_random_plans_scatter_as_all_plans_do():
    values = random_matrix(10).values
    everything = np.array(list(every_plan(values, 3).values()))
    mean, (low, high) = random_coverage(values, 3, draws=20_000)
    assert mean == pytest.approx(everything.mean(), abs=4 * everything.std() / np.sqrt(20_000))
    assert [low, high] == pytest.approx(np.quantile(everything, [0.05, 0.95]), abs=0.01)
    assert random_coverage(values, 3) == random_coverage(values, 3)
    assert random_coverage(values, 3) != random_coverage(values, 3, seed=1)
    assert random_coverage(values, 10) == (1.0, (1.0, 1.0))


def test_a_report_compares_at_equal_k():
    similarity = random_matrix(10, seed=1)
    report = coverage_report(similarity.values, similarity.layers, ["layer7", "layer2"], interval=(0.3, 0.9))
    best = best_plan(similarity.values, 2)
    assert report.count == 2
    assert report.value == coverage(similarity.values, [2, 7]) < report.best == best.value
    assert report.best_layers == tuple(similarity.layers[hint] for hint in best.hints)
    assert (report.random_mean, report.random_interval) == random_coverage(similarity.values, 2)
    assert report.random_mean < report.best and report.best_exact
    assert report.interval == (0.3, 0.9)
    assert json.loads(json.dumps(asdict(report)))["best_layers"] == list(report.best_layers)


def test_a_plan_better_than_the_search_is_the_best_one_known(monkeypatch):
    similarity = random_matrix(10, seed=1)
    monkeypatch.setattr(module, "MOST_COMBINATIONS", 1)
    monkeypatch.setattr(module, "_found_plans", lambda values, count, seed: np.array([[0, 1]]))
    names = [
        similarity.layers[hint]
        for hint in max(every_plan(similarity.values, 2).items(), key=lambda p: p[1])[0]
    ]
    report = coverage_report(similarity.values, similarity.layers, names)
    assert report.best == report.value
    assert report.best_layers == tuple(names)
    assert not report.best_exact


@pytest.mark.parametrize(("hints", "found"), [([], r"\[\]"), ([3], r"\[3\]"), ([0, -1], r"\[0, -1\]")])
def test_indices_outside_the_layers_are_refused(hints, found):
    with pytest.raises(InputError, match=f"indices from 0 to 2: found {found}; name layers of this matrix"):
        coverage(LINE, hints)


@pytest.mark.parametrize("question", [best_plan, random_coverage])
@pytest.mark.parametrize("count", [0, 4])
def test_k_outside_the_layers_is_refused(question, count):
    with pytest.raises(InputError, match=f"number of layers, 3: found {count}; choose at most 3"):
        question(LINE, count)


def test_an_unknown_hint_point_names_the_nearest():
    with pytest.raises(InputError, match="unknown hint point `layer11`: did you mean `layer1`"):
        coverage_report(random_matrix(5).values, random_matrix(5).layers, ["layer11"])


def test_a_swap_changes_the_coverage_by_what_the_two_plans_differ():
    values = random_matrix(9, seed=4).values
    changes = swap_changes(values, [1, 4, 7], 4)
    for layer in range(9):
        expected = coverage(values, {1, 7, layer}) - coverage(values, [1, 4, 7])
        assert changes[layer] == pytest.approx(expected, abs=1e-12)
    assert changes[4] == 0.0
    assert swap_changes(values, [4], 4).argmax() == best_plan(values, 1).hints[0]


def test_only_a_hint_point_can_be_swapped():
    with pytest.raises(InputError, match=r"only a hint point can be swapped: found the layer of index 1"):
        swap_changes(LINE, [0, 2], 1)
