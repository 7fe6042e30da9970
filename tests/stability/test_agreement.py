"""The adjusted Rand index against values by hand and against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from pursuhint.stability import adjusted_rand


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0, 0, 1, 1], [5, 5, 2, 2], 1.0),
        ([0, 0, 1, 1], [0, 1, 0, 1], -0.5),  # 0 of 6 pairs together in both, 2 in each: (0 - 2/3) / (2 - 2/3)
        ([0, 0, 1, 1], [0, 0, 1, 2], 4 / 7),  # 1 in both, 2 and 1 in each: (1 - 1/3) / (3/2 - 1/3)
        ([0, 0, 0, 0], [0, 0, 1, 1], 0.0),
        ([0, 0, 0], [1, 1, 1], 1.0),
        ([0, 1, 2], [2, 0, 1], 1.0),
        ([0], [0], 1.0),
    ],
)
def test_values_by_hand(first, second, expected):
    assert adjusted_rand(first, second) == pytest.approx(expected)
    assert adjusted_rand(second, first) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 5, 30), rng.integers(-1, 7, 30)
    second[:12] = first[:12]
    assert adjusted_rand(first, second) == pytest.approx(adjusted_rand_score(first, second))


def test_unrelated_clusterings_score_zero_on_average():
    rng = np.random.default_rng(0)
    scores = [adjusted_rand(rng.integers(0, 3, 40), rng.integers(0, 4, 40)) for _ in range(400)]
    assert abs(np.mean(scores)) < 4 * np.std(scores) / 20
