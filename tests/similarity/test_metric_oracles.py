"""The metrics against scikit-learn, loops over pairs, Gram space, and values found by hand."""

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.cross_decomposition import CCA
from sklearn.metrics.pairwise import rbf_kernel

from pursuhint.similarity import METRICS, similarity_matrix
from pursuhint.similarity.cka_linear import cka_linear
from pursuhint.similarity.cross import PANEL_COLUMNS, cross_products


def make_layers(samples: int, widths: list[int], seed: int = 0) -> dict[str, np.ndarray]:
    """Return ReLU layers of which each sees the one before."""
    rng = np.random.default_rng(seed)
    features, layers = rng.normal(size=(samples, 8)), {}
    for number, width in enumerate(widths):
        features = np.maximum(features @ rng.normal(size=(features.shape[1], width)) + 0.5, 0.0)
        layers[f"layer{number}"] = features
    return layers


def centred(features: np.ndarray) -> np.ndarray:
    return features - features.mean(axis=0)


def r2_by_angles(X: np.ndarray, Y: np.ndarray) -> float:
    return float(np.mean(np.cos(subspace_angles(centred(X), centred(Y))) ** 2))


def cka_by_grams(gram_x: np.ndarray, gram_y: np.ndarray) -> float:
    centring = np.eye(len(gram_x)) - 1 / len(gram_x)
    K, L = centring @ gram_x @ centring, centring @ gram_y @ centring
    return float(np.trace(K @ L) / np.sqrt(np.trace(K @ K) * np.trace(L @ L)))


def kornblith_rbf(X: np.ndarray) -> np.ndarray:
    squared = np.square(X[:, None] - X[None]).sum(axis=-1)
    return rbf_kernel(X, gamma=1 / (2 * np.median(squared)))


PAIRWISE = {
    "r2_cca": r2_by_angles,
    "cka_linear": lambda X, Y: cka_by_grams(X @ X.T, Y @ Y.T),
    "cka_rbf": lambda X, Y: cka_by_grams(kornblith_rbf(X), kornblith_rbf(Y)),
}


@pytest.mark.parametrize("metric", METRICS)
def test_all_pairs_agree_with_a_loop_over_pairs(metric):
    layers = make_layers(200, [5, 12, 7, 20])
    found = similarity_matrix(layers, metric=metric).values
    expected = [[PAIRWISE[metric](X, Y) for Y in layers.values()] for X in layers.values()]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_r2_cca_agrees_with_scikit_learn():
    layers = make_layers(300, [4, 6])
    X, Y = layers.values()
    scores_x, scores_y = CCA(n_components=4, max_iter=20000, tol=1e-12).fit_transform(X, Y)
    correlations = [np.corrcoef(x, y)[0, 1] for x, y in zip(scores_x.T, scores_y.T, strict=True)]
    found = similarity_matrix(layers, metric="r2_cca").values[0, 1]
    assert found == pytest.approx(np.mean(np.square(correlations)), abs=1e-6)


def test_r2_cca_of_one_feature_is_the_squared_correlation():
    x, y = np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.0, 3.0, 2.0, 2.0])
    found = similarity_matrix({"x": x[:, None], "y": y[:, None]}, metric="r2_cca").values[0, 1]
    assert found == pytest.approx(1 / 28)  # Sxy = 1, Sxx = 14, Syy = 2


def test_cka_of_two_crossed_factors_by_hand():
    a, b = np.array([1.0, 1.0, -1.0, -1.0]), np.array([1.0, -1.0, 1.0, -1.0])
    layers = {"a": a[:, None], "ab": np.stack([a, b], axis=1), "b": b[:, None]}
    values = similarity_matrix(layers, metric="cka_linear").values
    half = 1 / np.sqrt(2)  # ||a^T [a b]||^2 = 16, ||a^T a|| = 4, ||[a b]^T [a b]|| = 4 sqrt(2)
    np.testing.assert_allclose(values, [[1, half, 0], [half, 1, half], [0, half, 1]], atol=1e-12)


@pytest.mark.parametrize("samples", [200, 2000])
def test_unrelated_layers_score_the_chance_level(samples):
    rng = np.random.default_rng(0)
    layers = {"p": rng.normal(size=(samples, 40)), "q": rng.normal(size=(samples, 20))}
    assert similarity_matrix(layers, metric="r2_cca").values[0, 1] == pytest.approx(40 / samples, rel=0.2)


def test_dead_channels_in_common_do_not_make_layers_alike():
    rng = np.random.default_rng(0)
    dead = np.zeros((10_000, 32))
    layers = {name: np.hstack([rng.normal(size=(10_000, 32)), dead]) for name in ("a", "b")}
    similarity = similarity_matrix(layers, metric="r2_cca")
    assert similarity.values[0, 1] < 0.02
    assert similarity.notes["a"].effective_rank == 32


@pytest.mark.parametrize("value", [5.3, -1e4])
def test_channels_dead_up_to_rounding_count_as_dead(value):
    rng = np.random.default_rng(0)
    jitter = np.float32(value) * (1 + np.finfo(np.float32).eps * rng.integers(-1, 2, size=(5000, 32)))
    layers = {name: np.hstack([rng.normal(size=(5000, 32)), jitter]) for name in ("a", "b")}
    assert similarity_matrix(layers, metric="r2_cca").values[0, 1] < 0.02


def test_dependent_channels_in_float32_do_not_raise_the_rank():
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(3000, 8)) @ rng.normal(size=(8, 24))).astype(np.float32)
    similarity = similarity_matrix({"a": features, "b": rng.normal(size=(3000, 5))}, metric="r2_cca")
    assert similarity.notes["a"].effective_rank == 8


def test_linear_cka_of_layers_wider_than_there_are_images():
    layers = make_layers(50, [300, 80, 10])
    found = similarity_matrix(layers, metric="cka_linear").values
    expected = [[PAIRWISE["cka_linear"](X, Y) for Y in layers.values()] for X in layers.values()]
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_rbf_cka_of_a_layer_that_seldom_fires_uses_the_distances_that_differ():
    rare = np.zeros((100, 1))
    rare[:10] = 1.0
    layers = {"rare": rare, "twice": rare * 2, "other": np.random.default_rng(0).normal(size=(100, 4))}
    values = similarity_matrix(layers, metric="cka_rbf").values
    assert values[0, 1] == pytest.approx(1.0)
    assert 0 <= values[0, 2] < 0.2


def test_rbf_cka_takes_the_first_thousand_images():
    layers = make_layers(1200, [6, 9])
    similarity = similarity_matrix(layers, metric="cka_rbf")
    first = similarity_matrix({name: features[:1000] for name, features in layers.items()}, metric="cka_rbf")
    assert similarity.samples == 1000
    np.testing.assert_array_equal(similarity.values, first.values)


def test_cross_products_over_several_panels_agree_with_a_loop():
    rng = np.random.default_rng(0)
    widths = [PANEL_COLUMNS // 2, PANEL_COLUMNS // 2, 3, PANEL_COLUMNS + 5, 1]
    layers = [rng.normal(size=(20, width)) for width in widths]
    expected = [[np.linalg.norm(X.T @ Y) ** 2 for Y in layers] for X in layers]
    np.testing.assert_allclose(cross_products(layers), expected, rtol=1e-12)


def test_scale_does_not_overflow():
    layers = make_layers(100, [4, 5])
    expected = similarity_matrix(layers, metric="cka_linear").values
    huge = {name: features * 1e100 for name, features in layers.items()}
    np.testing.assert_allclose(similarity_matrix(huge, metric="cka_linear").values, expected, atol=1e-12)
    assert cka_linear([np.eye(3) - 1 / 3] * 2) == pytest.approx(np.ones((2, 2)))
