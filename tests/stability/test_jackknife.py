"""The jackknife against the formula for a mean, and against what fresh images really do."""

import numpy as np
import pytest
from scipy import stats

from pursuhint.errors import InputError
from pursuhint.stability import jackknife, leave_one_out
from tests.stability.naive_blocks import NaiveBlocks, grouped_features


def test_of_a_mean_it_is_the_formula_everybody_knows():
    drawn = np.random.default_rng(0).normal(size=20)
    found = jackknife(drawn.mean(), [np.delete(drawn, i).mean() for i in range(20)])
    expected = stats.t.interval(0.95, 19, loc=drawn.mean(), scale=stats.sem(drawn))
    assert found.standard_error == pytest.approx(stats.sem(drawn))
    assert found.interval == pytest.approx(expected)
    assert found.half_width == pytest.approx((expected[1] - expected[0]) / 2)


def test_of_a_matrix_it_is_that_of_each_entry():
    rng = np.random.default_rng(1)
    estimate, left_out = rng.normal(size=(3, 4)), rng.normal(size=(10, 3, 4))
    found = jackknife(estimate, left_out, bounds=(-1, 1))
    for place in np.ndindex(3, 4):
        alone = jackknife(estimate[place], left_out[:, *place], bounds=(-1, 1))
        assert found.standard_error[place] == pytest.approx(alone.standard_error)
        assert (found.low[place], found.high[place]) == pytest.approx(alone.interval)


def test_what_does_not_vary_is_exact_and_bounds_are_kept():
    assert jackknife(0.5, [0.5, 0.5, 0.5]).interval == (0.5, 0.5)
    found = jackknife(0.9, [0.8, 0.9, 1.0], bounds=(0.0, 1.0))
    assert found.high == 1.0
    assert 0.0 <= found.low < 0.9
    assert found.half_width > 0.1


@pytest.mark.parametrize("left_out", [[0.5], [], [[0.5, 0.5], [0.5, 0.5]]])
def test_too_few_blocks_and_other_shapes_are_refused(left_out):
    with pytest.raises(
        InputError, match=r"at least 2 estimates of the shape \(\), .* cut the images into more"
    ):
        jackknife(0.5, left_out)


def test_each_block_is_left_out_once():
    blocks, told = NaiveBlocks(grouped_features([2, 1], samples=200), count=5), []
    stack = leave_one_out(blocks, "cka_linear", progress=lambda *where: told.append(where))
    for block in range(5):
        kept = np.arange(200) % 5 != block
        fewer = NaiveBlocks({name: rows[kept] for name, rows in blocks.representations.items()}, count=1)
        np.testing.assert_allclose(stack[block], fewer.values("cka_linear"))
    assert told == [("intervals", done, 5) for done in range(1, 6)]


def plain_cka(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return np.sum((x.T @ y) ** 2) / np.sqrt(np.sum((x.T @ x) ** 2) * np.sum((y.T @ y) ** 2))


def plain_r2_cca(x: np.ndarray, y: np.ndarray) -> float:
    x, y = np.linalg.qr(x - x.mean(axis=0))[0], np.linalg.qr(y - y.mean(axis=0))[0]
    return np.sum((x.T @ y) ** 2) / x.shape[1]


@pytest.mark.parametrize("similarity", [plain_cka, plain_r2_cca])
def test_standard_errors_are_the_spread_over_fresh_images(similarity):
    """Many draws of fresh images: the errors are their spread, 95 % of the intervals hold the mean."""
    estimates, found = [], []
    for seed in range(400):
        x, y = grouped_features([2], samples=600, noise=1.5, seed=seed).values()
        block = np.arange(600) % 10
        left_out = [similarity(x[block != one], y[block != one]) for one in range(10)]
        estimates.append(similarity(x, y))
        found.append(jackknife(estimates[-1], left_out, bounds=(0, 1)))
    assert 0.2 < np.mean(estimates) < 0.8, "at the ends of the scale nothing varies"
    error = np.sqrt(np.mean([one.standard_error**2 for one in found]))
    assert 0.9 < error / np.std(estimates, ddof=1) < 1.15
    held = np.mean([one.low <= np.mean(estimates) <= one.high for one in found])
    assert 0.92 <= held <= 0.98
