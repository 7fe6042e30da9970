"""The metrics against a second route from the definition, and against values found by hand."""

import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn.cross_decomposition import CCA

from pursuhint.errors import InputError
from pursuhint.similarity import METRICS, matrix_from_moments, measure_moments, similarity_matrix
from pursuhint.similarity.mutual_knn import neighbour_weights
from tests.similarity.second_routes import SECOND_ROUTES, make_layers

CORRELATIONS = ["r2_cca", "svcca", "pwcca", "linear_regression"]


def test_every_metric_has_a_second_route():
    assert list(SECOND_ROUTES) == list(METRICS)


@pytest.mark.parametrize("metric", METRICS)
def test_all_pairs_agree_with_the_definition(metric):
    layers = make_layers(200, [5, 12, 7, 20])
    found = similarity_matrix(layers, metric=metric).values
    expected = [[SECOND_ROUTES[metric](X, Y) for Y in layers.values()] for X in layers.values()]
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("metric", [name for name in METRICS if name not in CORRELATIONS])
def test_layers_wider_than_there_are_images_agree_with_the_definition(metric):
    layers = make_layers(50, [300, 80, 10])
    found = similarity_matrix(layers, metric=metric).values
    expected = [[SECOND_ROUTES[metric](X, Y) for Y in layers.values()] for X in layers.values()]
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("metric", ["pwcca", "linear_regression"])
def test_directed_metrics_describe_the_row_by_the_column(metric):
    rng = np.random.default_rng(0)
    strong, faint, alone = (rng.normal(size=(4000, 1)) for _ in range(3))
    layers = {"whole": np.hstack([3 * strong, faint, alone]), "part": strong}
    directed = METRICS[metric].compute(measure_moments(layers))
    assert directed[1, 0] == pytest.approx(1.0, abs=1e-12)  # the part is linear in the whole
    expected = {"linear_regression": 9 / 11, "pwcca": 1.0}[metric]  # one canonical pair, correlation 1
    assert directed[0, 1] == pytest.approx(expected, abs=0.01)
    values = similarity_matrix(layers, metric=metric).values
    assert values[0, 1] == pytest.approx((directed[0, 1] + directed[1, 0]) / 2, abs=1e-12)


def test_pwcca_weighs_the_directions_of_the_row():
    rng = np.random.default_rng(0)
    a, b, noise = (rng.normal(size=(20_000, 1)) for _ in range(3))
    layers = {"uneven": np.hstack([9 * a, b]), "even": np.hstack([a, noise])}
    directed = METRICS["pwcca"].compute(measure_moments(layers))
    assert directed[0, 1] == pytest.approx(0.9, abs=0.01)  # correlations 1 and 0, weights 9 and 1
    assert directed[1, 0] == pytest.approx(0.5, abs=0.01)


def test_r2_cca_agrees_with_scikit_learn():
    layers = make_layers(300, [4, 6])
    X, Y = layers.values()
    scores_x, scores_y = CCA(n_components=4, max_iter=20000, tol=1e-12).fit_transform(X, Y)
    correlations = [np.corrcoef(x, y)[0, 1] for x, y in zip(scores_x.T, scores_y.T, strict=True)]
    found = similarity_matrix(layers, metric="r2_cca").values[0, 1]
    assert found == pytest.approx(np.mean(np.square(correlations)), abs=1e-6)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("r2_cca", 1 / 28),  # Sxy = 1, Sxx = 14, Syy = 2
        ("cka_linear", 1 / 28),
        ("linear_regression", 1 / 28),
        ("svcca", 1 / np.sqrt(28)),
        ("pwcca", 1 / np.sqrt(28)),
        ("procrustes", 1 / np.sqrt(28)),
    ],
)
def test_one_feature_has_one_correlation(metric, expected):
    x, y = np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.0, 3.0, 2.0, 2.0])
    found = similarity_matrix({"x": x[:, None], "y": y[:, None]}, metric=metric).values[0, 1]
    assert found == pytest.approx(expected)


def test_crossed_factors_by_hand():
    a, b = np.array([1.0, 1.0, -1.0, -1.0]), np.array([1.0, -1.0, 1.0, -1.0])
    layers = {"a": a[:, None], "ab": np.stack([a, b], axis=1), "b": b[:, None]}
    half = 1 / np.sqrt(2)  # ||a^T [a b]||^2 = 16, ||a^T a|| = 4, ||[a b]^T [a b]|| = 4 sqrt(2)
    for metric in ("cka_linear", "procrustes"):
        values = similarity_matrix(layers, metric=metric).values
        np.testing.assert_allclose(values, [[1, half, 0], [half, 1, half], [0, half, 1]], atol=1e-12)


def test_debiased_cka_by_hand():
    # K = x x^T with x = (1, 1, -1, -1): <K, K> = 16, k.k = 4, tr K = 4, so 16 - 2 * 4 + 16 / 6 = 32 / 3.
    # y = (1, -1, 1, -1): <K, L> = 0, so 0 - 8 + 16 / 6 = -16 / 3 and the cosine is -1 / 2.
    a, b = np.array([[1.0, 1, -1, -1]]).T, np.array([[1.0, -1, 1, -1]]).T
    values = similarity_matrix({"a": a, "b": b}, metric="cka_linear_debiased").values
    np.testing.assert_allclose(values, [[1.0, -0.5], [-0.5, 1.0]], atol=1e-12)


def test_debiased_cka_of_unrelated_wide_layers_is_nothing_on_average():
    biased, debiased = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        moments = measure_moments({"p": rng.normal(size=(100, 60)), "q": rng.normal(size=(100, 40))})
        biased.append(matrix_from_moments(moments, metric="cka_linear").values[0, 1])
        debiased.append(matrix_from_moments(moments, metric="cka_linear_debiased").values[0, 1])
    assert np.mean(biased) > 0.3
    assert abs(np.mean(debiased)) < 3 * np.std(debiased) / np.sqrt(40)
    assert min(debiased) < 0 < max(debiased)


def test_a_layer_that_sees_all_pairs_alike_has_no_debiased_cka():
    layers = {"one hot": np.eye(8), "other": np.random.default_rng(0).normal(size=(8, 3))}
    for metric in ("cka_linear_debiased", "rsa"):
        with pytest.raises(InputError, match=rf"`{metric}` is not defined for `one hot`: .* pairs of the 8"):
            similarity_matrix(layers, metric=metric)


def test_procrustes_of_a_rotation_is_one_and_of_a_stretch_the_cosine_of_spectra():
    X = np.random.default_rng(0).normal(size=(500, 4))
    X = np.linalg.qr(X - X.mean(axis=0))[0]
    stretch = np.array([4.0, 3.0, 2.0, 1.0])
    layers = {"x": X, "turned": X @ ortho_group.rvs(4, random_state=0), "stretched": X * stretch}
    values = similarity_matrix(layers, metric="procrustes").values
    assert values[0, 1] == pytest.approx(1.0, abs=1e-12)
    assert values[0, 2] == pytest.approx(stretch.sum() / (2 * np.linalg.norm(stretch)), abs=1e-12)


@pytest.mark.parametrize("samples", [200, 2000])
@pytest.mark.parametrize("metric", [name for name, metric in METRICS.items() if metric.floor])
def test_unrelated_layers_score_the_declared_floor(metric, samples):
    rng = np.random.default_rng(0)
    layers = {"p": rng.normal(size=(samples, 40)), "q": rng.normal(size=(samples, 20))}
    similarity = similarity_matrix(layers, metric=metric)
    floor = similarity.pair_note("p", "q").floor
    assert 0.7 * floor < similarity.values[0, 1] < 1.2 * floor


@pytest.mark.parametrize("metric", [name for name, metric in METRICS.items() if not metric.floor])
def test_metrics_without_a_floor_score_nothing_for_unrelated_layers(metric):
    rng = np.random.default_rng(0)
    layers = {"p": rng.normal(size=(1000, 4)), "q": rng.normal(size=(1000, 4))}
    assert abs(similarity_matrix(layers, metric=metric).values[0, 1]) < 0.02


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


def test_rbf_cka_of_a_layer_that_seldom_fires_uses_the_distances_that_differ():
    rare = np.zeros((100, 1))
    rare[:10] = 1.0
    layers = {"rare": rare, "twice": rare * 2, "other": np.random.default_rng(0).normal(size=(100, 4))}
    values = similarity_matrix(layers, metric="cka_rbf").values
    assert values[0, 1] == pytest.approx(1.0)
    assert 0 <= values[0, 2] < 0.2


def test_neighbours_at_the_same_distance_share_the_places():
    places = np.array([[0.0], *[[1.0]] * 4, *[[-2.0]] * 12])
    weights = neighbour_weights(np.square(places - places.T)).reshape(17, 17)
    np.testing.assert_allclose(weights.sum(axis=1), 10)
    np.testing.assert_allclose(weights[0], [0.0, *[1.0] * 4, *[0.5] * 12])


@pytest.mark.parametrize("metric", ["cka_rbf", "rsa", "mutual_knn"])
def test_metrics_of_distances_take_the_first_thousand_images(metric):
    layers = make_layers(1200, [6, 9])
    similarity = similarity_matrix(layers, metric=metric)
    first = similarity_matrix({name: features[:1000] for name, features in layers.items()}, metric=metric)
    assert similarity.samples == 1000
    np.testing.assert_array_equal(similarity.values, first.values)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_scale_neither_overflows_nor_vanishes(metric, scale):
    layers = make_layers(100, [4, 5])
    expected = similarity_matrix(layers, metric=metric).values
    scaled = {name: features * scale for name, features in layers.items()}
    np.testing.assert_allclose(similarity_matrix(scaled, metric=metric).values, expected, atol=1e-11)
