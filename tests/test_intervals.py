from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from pursuhint.intervals import mcnemar, paired_difference, wilson


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (3, 7), (499, 500), (8, 10)])
def test_wilson_is_scipys(right: int, n: int):
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_known_is_anything():
    low, high = wilson(np.array([0, 1]), np.array([0, 2]))
    assert (low[0], high[0]) == (0, 1) and 0 < low[1] < high[1] < 1


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 4), (3, 3), (25, 2), (2, 25), (700, 800)])
def test_mcnemar_is_the_binomial_test(first: int, second: int):
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_by_hand():
    assert mcnemar(0, 3) == pytest.approx(0.25)  # 2 * (1/2)^3
    assert mcnemar(1, 3) == pytest.approx(0.625)  # 2 * (1 + 4) / 16
    assert 0 <= mcnemar(0, 20_000) < 1e-300


def test_the_difference_swaps_with_its_sides():
    value, low, high = paired_difference(80, 2, 8, 10)
    other, down, up = paired_difference(80, 8, 2, 10)
    assert (other, down, up) == pytest.approx((-value, -high, -low))
    assert low < value < high


def test_answers_that_go_together_are_told_apart_better():
    together = paired_difference(70, 5, 10, 15)
    apart = paired_difference(55, 20, 25, 0)
    assert together[0] == pytest.approx(apart[0])
    assert together[2] - together[1] < apart[2] - apart[1]


def test_without_correlation_it_is_the_interval_of_independent_shares():
    # Newcombe's hybrid score interval of two independent shares, written out.
    both, first, second, neither = 24, 36, 16, 24  # 60 % and 40 %, independent
    n = 100
    (l1, u1), (l2, u2) = wilson(60, n), wilson(40, n)
    low = 0.2 - np.sqrt((0.6 - l1) ** 2 + (u2 - 0.4) ** 2)
    high = 0.2 + np.sqrt((u1 - 0.6) ** 2 + (0.4 - l2) ** 2)
    assert paired_difference(both, first, second, neither) == pytest.approx((0.2, low, high))


@pytest.mark.parametrize("shares", [(0.8, 0.02, 0.08, 0.1), (0.3, 0.3, 0.2, 0.2), (0.9, 0.0, 0.05, 0.05)])
def test_it_holds_the_truth_19_times_out_of_20(shares):
    drawn = np.random.default_rng(1).multinomial(100, shares, size=20_000).T
    _, low, high = paired_difference(*drawn)
    truth = shares[1] - shares[2]
    assert 0.93 < ((low <= truth) & (truth <= high)).mean() < 0.99


def test_no_images_have_no_difference():
    assert all(np.isnan(value) for value in paired_difference(0, 0, 0, 0))
