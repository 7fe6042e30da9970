"""Every property a metric declares, and every one it does not declare, tested from the declaration."""

from typing import get_args

import numpy as np
import pytest
from scipy.stats import ortho_group

from pursuhint.errors import InputError
from pursuhint.similarity import METRICS, Metric, measure_moments, similarity_matrix, symmetrise
from pursuhint.similarity.metric import Invariance

WIDTH = 6
OFFSET = np.random.default_rng(7).normal(size=WIDTH) * 10
MAPS = {
    "translation": lambda X: X + OFFSET,
    "isotropic scaling": lambda X: X * 37.5,
    "orthogonal": lambda X: X @ ortho_group.rvs(WIDTH, random_state=3),
    "invertible linear": lambda X: X * [0.05, 0.1, 0.5, 2, 8, 20],  # the faint becomes strong
}
EACH = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


@pytest.fixture
def layers() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    early = rng.normal(size=(400, WIDTH)) * [8, 4, 1.5, 1, 0.7, 0.5]
    late = np.tanh(early @ rng.normal(size=(WIDTH, 9))) + 0.3 * rng.normal(size=(400, 9))
    return {"early": early, "late": late}


def score(layers: dict[str, np.ndarray], metric: Metric) -> float:
    return similarity_matrix(layers, metric=metric.name).values[0, 1]


def test_every_invariance_has_a_map():
    assert set(MAPS) == set(get_args(Invariance))


@EACH
@pytest.mark.parametrize("name", MAPS)
def test_invariances_are_exactly_the_declared_ones(metric, name, layers):
    mapped = layers | {"early": MAPS[name](layers["early"])}
    change = abs(score(mapped, metric) - score(layers, metric))
    assert change < 1e-9 if name in metric.invariances else change > 1e-2


@EACH
def test_bounds_symmetry_and_diagonal(metric, layers):
    layers |= {"noise": np.random.default_rng(1).normal(size=(400, 3)), "copy": layers["early"] * 2}
    values = similarity_matrix(layers, metric=metric.name).values
    low, high = metric.bounds
    assert values.dtype == np.float64
    assert values.min() >= low and values.max() <= high
    np.testing.assert_array_equal(np.diag(values), 1.0)
    assert values[0, 3] == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_array_equal(values, values.T)


@pytest.mark.parametrize("metric", ["cka_linear_debiased", "rsa"])
def test_scores_below_zero_are_kept(metric):
    rng = np.random.default_rng(3)
    layers = {str(number): rng.normal(size=(50, 3)) for number in range(8)}
    assert METRICS[metric].bounds == (-1.0, 1.0)
    assert similarity_matrix(layers, metric=metric).values.min() < 0


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.family == "moments"])
def test_directions_differ_exactly_where_the_metric_is_not_symmetric(name, layers):
    raw = METRICS[name].compute(measure_moments(layers))
    np.testing.assert_allclose(np.diag(raw), 1.0, atol=1e-12)
    difference = abs(raw[0, 1] - raw[1, 0])
    assert difference == 0 if METRICS[name].symmetric else difference > 1e-3
    found = similarity_matrix(layers, metric=name).values
    np.testing.assert_allclose(found, symmetrise(raw), atol=1e-12)


@EACH
def test_higher_is_more_alike(metric, layers):
    assert metric.direction == "higher is more alike"
    rng = np.random.default_rng(5)
    noisy = [layers["early"] + sigma * rng.normal(size=(400, WIDTH)) for sigma in (0.1, 0.5, 2.0)]
    scores = [score({"a": layers["early"], "b": other}, metric) for other in noisy]
    assert scores[0] > scores[1] > scores[2]


@EACH
def test_shuffling_the_images_of_one_layer_breaks_the_similarity(metric, layers):
    shuffled = layers | {"late": np.random.default_rng(2).permutation(layers["late"])}
    assert score(shuffled, metric) < 0.5 * score(layers, metric)


@EACH
def test_the_order_of_the_images_does_not_matter(metric, layers):
    order = np.random.default_rng(2).permutation(400)
    reordered = {name: features[order] for name, features in layers.items()}
    assert score(reordered, metric) == pytest.approx(score(layers, metric), abs=1e-12)


@EACH
def test_the_fewest_images_give_a_value_and_one_less_none(metric):
    rng = np.random.default_rng(0)
    least = metric.min_samples([2, 3])
    layers = {"a": rng.normal(size=(least, 2)), "b": rng.normal(size=(least, 3))}
    assert np.isfinite(score(layers, metric)) and score(layers, metric) < 1
    with pytest.raises(InputError, match=f"needs at least {least} images"):
        score({name: features[1:] for name, features in layers.items()}, metric)
