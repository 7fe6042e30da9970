from __future__ import annotations

import kmedoids
import numpy as np
import pytest

from pursuhint.coverage import coverage
from pursuhint.errors import InputError
from pursuhint.lesson import nearest_hint, stand_in_scores


@pytest.fixture
def values() -> np.ndarray:
    half = np.random.default_rng(3).random((9, 9))
    similar = (half + half.T) / 2
    np.fill_diagonal(similar, 1)
    return similar


def test_the_best_stand_in_is_the_medoid(values):
    members = [1, 2, 4, 5, 8]
    scores = stand_in_scores(values, members)
    within = values[np.ix_(members, members)]
    assert scores.argmax() == kmedoids.pam(1 - within, 1).medoids[0]
    others = [other for other in members if other != 4]
    assert scores[2] == pytest.approx(np.mean([values[4, other] for other in others]))


def test_a_cluster_of_one_stands_for_itself(values):
    assert stand_in_scores(values, [3]).tolist() == [1.0]


def test_the_nearest_hints_add_up_to_the_coverage(values):
    hints = [0, 4, 7]
    nearest = nearest_hint(values, hints)
    assert [hints[place] for place in nearest[hints]] == hints
    reached = [values[layer, hints[place]] for layer, place in enumerate(nearest)]
    assert np.mean(reached) == pytest.approx(coverage(values, hints))


@pytest.mark.parametrize(("work", "need"), [(stand_in_scores, "members"), (nearest_hint, "hint points")])
@pytest.mark.parametrize("indices", [[], [9], [-1, 2]])
def test_refuses_layers_that_are_not_there(values, work, need, indices):
    with pytest.raises(InputError, match=f"{need} with indices from 0 to 8: found"):
        work(values, indices)
