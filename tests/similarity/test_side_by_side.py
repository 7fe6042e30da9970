"""Two matrices side by side, against scipy and pairs counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from pursuhint.errors import InputError
from pursuhint.similarity import (
    METRICS,
    SimilarityMatrix,
    matrix_from_moments,
    measure_moments,
    rank_correlation,
    side_by_side,
    similarity_matrix,
)


def matrix(values: np.ndarray, layers: str = "abcdef") -> SimilarityMatrix:
    names = tuple(layers[: len(values)])
    return SimilarityMatrix((values + values.T) / 2, names, "cka_linear", "mean", 100, {}, {})


@pytest.fixture
def two() -> tuple[SimilarityMatrix, SimilarityMatrix]:
    rng = np.random.default_rng(1)
    return matrix(rng.random((6, 6))), matrix(rng.random((6, 6)))


def test_the_rank_correlation_is_scipy_s_of_the_pairs(two):
    upper = np.triu_indices(6, k=1)
    expected = spearmanr(*(one.values[upper] for one in two)).statistic
    assert side_by_side(*two).rank_correlation == pytest.approx(expected)


def test_equal_values_share_their_ranks_as_in_scipy():
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 4, size=(2, 60)).astype(float)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_another_scale_keeps_the_order_and_the_reverse_turns_it(two):
    first, _ = two
    for change, expected in ((np.exp, 1.0), (np.negative, -1.0)):
        assert side_by_side(first, replace(first, values=change(first.values))).rank_correlation == expected


def test_without_an_order_there_is_no_number(two):
    flat = matrix(np.ones((6, 6)))
    assert side_by_side(two[0], flat).rank_correlation is None
    assert rank_correlation(np.array([1.0]), np.array([2.0])) is None


def test_the_pairs_that_differ_most_come_first_and_the_rest_is_their_difference(two):
    found = side_by_side(*two, shown=15)
    sizes = [abs(one.change) for one in found.largest]
    assert sizes == sorted(sizes, reverse=True) and len({one.layers for one in found.largest}) == 15
    np.testing.assert_array_equal(found.difference, two[1].values - two[0].values)
    for one in found.largest:
        row, column = ("abcdef".index(name) for name in one.layers)
        assert row < column and one.change == found.difference[row, column]


def test_layers_that_both_hold_are_compared(two):
    less = SimilarityMatrix(two[1].values[1:, 1:], tuple("bcdef"), "cka_rbf", "mean", 100, {}, {})
    found = side_by_side(two[0], less)
    assert found.layers == tuple("bcdef")
    np.testing.assert_array_equal(found.first, two[0].values[1:, 1:])


def test_matrices_of_other_networks_are_refused(two):
    with pytest.raises(InputError, match="at least 2: found 0 of 6 and 3; take matrices of the same network"):
        side_by_side(two[0], matrix(np.eye(3), "xyz"))


@pytest.mark.parametrize("metric", [name for name, one in METRICS.items() if one.family == "moments"])
def test_the_moments_of_two_layers_give_what_all_of_them_give(metric):
    rng = np.random.default_rng(3)
    first = rng.normal(size=(300, 6))
    layers = {
        "a": first,
        "b": first @ rng.normal(size=(6, 9)),
        "c": np.tanh(first[:, :4]),
        "dead": np.ones((300, 2)),
    }
    moments = measure_moments(layers)
    whole = matrix_from_moments(moments, metric=metric).values
    part = matrix_from_moments(moments.subset(["a", "c"]), metric=metric)
    assert part.layers == ("a", "c")
    np.testing.assert_allclose(part.values, whole[np.ix_([0, 2], [0, 2])], atol=1e-12)
    alone = similarity_matrix({"a": layers["a"], "c": layers["c"]}, metric=metric).values
    np.testing.assert_allclose(part.values, alone, atol=1e-9)


def test_moments_of_a_layer_that_does_not_vary_are_refused():
    moments = measure_moments({"a": np.random.default_rng(0).normal(size=(20, 2)), "dead": np.ones((20, 2))})
    with pytest.raises(InputError, match="unknown varying layer `dead`"):
        moments.subset(["a", "dead"])
