"""The cut of the depth axis against all cuts there are."""

import itertools

import numpy as np
import pytest

from pursuhint.clustering.contiguous import contiguous, run_costs
from tests.clustering.test_depth_means import random_distance


def best_cut(distance: np.ndarray, clusters: int) -> tuple[float, list[int]]:
    """Try every cut, the earlier ones first; returns cost and labels of the best."""
    depth = len(distance)

    def cost(run: range) -> float:
        return min(sum(distance[medoid, layer] for layer in run) for medoid in run)

    tried = []
    for inner in itertools.combinations(range(1, depth), clusters - 1):
        bounds = [0, *inner, depth]
        runs = [range(first, end) for first, end in itertools.pairwise(bounds)]
        labels = [number for number, run in enumerate(runs) for _ in run]
        tried.append((sum(cost(run) for run in runs), labels))
    return min(tried, key=lambda cut: cut[0])


@pytest.mark.parametrize("levels", [None, 4])
@pytest.mark.parametrize("clusters", [1, 2, 3, 5, 9])
def test_agrees_with_trying_every_cut(clusters, levels):
    for seed in range(25):
        distance = random_distance(9, seed, levels)
        cost, labels = best_cut(distance, clusters)
        found = contiguous(distance, clusters)
        assert found.labels.tolist() == labels
        assert distance[np.arange(9), found.centres[found.labels]].sum() == pytest.approx(cost)


def test_rounding_does_not_decide_between_equal_cuts():
    distance = np.where(np.eye(7, dtype=bool), 0.0, 0.1)  # sums of tenths are not exact
    assert contiguous(distance, 3).labels.tolist() == [0, 1, 2, 2, 2, 2, 2]


def test_layers_seen_from_the_other_end_are_cut_in_the_same_places():
    distance = random_distance(14, 3)
    straight = contiguous(distance, 4).labels
    turned = contiguous(distance[::-1, ::-1], 4).labels
    assert turned.tolist() == (3 - straight[::-1]).tolist()


def test_a_run_costs_the_way_to_its_medoid():
    distance = random_distance(6, 1)
    costs = run_costs(distance)
    for first, last in itertools.product(range(6), repeat=2):
        run = distance[first : last + 1, first : last + 1]
        assert costs[first, last] == (pytest.approx(run.sum(axis=1).min()) if first <= last else np.inf)
