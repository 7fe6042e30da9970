"""Every property a metric declares, and every one it does not declare, tested from the declaration."""

from typing import get_args

import numpy as np
import pytest
from scipy.stats import ortho_group

from pursuhint.similarity import METRICS, Metric, similarity_matrix
from pursuhint.similarity.metric import Invariance

RNG = np.random.default_rng(7)
WIDTH = 6
MAPS = {
    "translation": lambda X: X + RNG.normal(size=WIDTH) * 10,
    "isotropic scaling": lambda X: X * 37.5,
    "orthogonal": lambda X: X @ ortho_group.rvs(WIDTH, random_state=3),
    "invertible linear": lambda X: (
        X @ np.diag([1.0, 20.0, 0.1, 5.0, 0.3, 2.0]) @ RNG.normal(size=(WIDTH, WIDTH))
    ),
}


@pytest.fixture
def layers() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    early = rng.normal(size=(400, WIDTH)) * [3, 2, 1.5, 1, 0.7, 0.5]
    late = np.tanh(early @ rng.normal(size=(WIDTH, 9))) + 0.3 * rng.normal(size=(400, 9))
    return {"early": early, "late": late}


def score(layers: dict[str, np.ndarray], metric: Metric) -> float:
    return similarity_matrix(layers, metric=metric.name).values[0, 1]


def test_every_invariance_has_a_map():
    assert set(MAPS) == set(get_args(Invariance))


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("name", MAPS)
def test_invariances_are_exactly_the_declared_ones(metric, name, layers):
    mapped = layers | {"early": MAPS[name](layers["early"])}
    change = abs(score(mapped, metric) - score(layers, metric))
    assert change < 1e-9 if name in metric.invariances else change > 1e-2


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_bounds_symmetry_and_diagonal(metric, layers):
    layers |= {"noise": np.random.default_rng(1).normal(size=(400, 3)), "copy": layers["early"] * 2}
    values = similarity_matrix(layers, metric=metric.name).values
    low, high = metric.bounds
    assert values.dtype == np.float64
    assert values.min() >= low and values.max() <= high
    np.testing.assert_array_equal(np.diag(values), 1.0)
    assert values[0, 3] == pytest.approx(1.0, abs=1e-12)
    assert metric.symmetric
    np.testing.assert_array_equal(values, values.T)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_the_raw_diagonal_is_one_before_it_is_set(metric, layers):
    from pursuhint.similarity.layer import centre_layer

    raw = metric.compute([metric.prepare(centre_layer(features)) for features in layers.values()])
    np.testing.assert_allclose(np.diag(raw), 1.0, atol=1e-12)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_higher_is_more_alike(metric, layers):
    assert metric.direction == "higher is more alike"
    rng = np.random.default_rng(5)
    noisy = [layers["early"] + sigma * rng.normal(size=(400, WIDTH)) for sigma in (0.1, 0.5, 2.0)]
    scores = [score({"a": layers["early"], "b": other}, metric) for other in noisy]
    assert scores[0] > scores[1] > scores[2]


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_shuffling_the_images_of_one_layer_breaks_the_similarity(metric, layers):
    shuffled = layers | {"late": np.random.default_rng(2).permutation(layers["late"])}
    assert score(shuffled, metric) < 0.5 * score(layers, metric)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_the_order_of_the_images_does_not_matter(metric, layers):
    order = np.random.default_rng(2).permutation(400)
    reordered = {name: features[order] for name, features in layers.items()}
    assert score(reordered, metric) == pytest.approx(score(layers, metric), abs=1e-12)
