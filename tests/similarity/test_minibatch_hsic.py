"""Debiased CKA from Gram matrices of minibatches, against loops over the same partition."""

import itertools

import numpy as np
import pytest

from pursuhint.errors import InputError
from pursuhint.similarity import (
    METRICS,
    HsicBlocks,
    batch_hsic,
    check_pooling,
    cka_from_hsic,
    partition,
    similarity_matrix,
)
from tests.similarity.second_routes import cka_linear_debiased, make_layers, song_hsic


def u_statistic(K: np.ndarray, L: np.ndarray) -> float:
    """The mean of Song's kernel h over all ordered quadruples of different images."""
    total, count = 0.0, 0
    for i, j, q, r in itertools.permutations(range(len(K)), 4):
        total += K[i, j] * (L[i, j] + L[q, r] - 2 * L[i, q])
        count += 1
    return total / count


def grams_of(layers: dict[str, np.ndarray], rows: slice) -> np.ndarray:
    return np.stack([features[rows] @ features[rows].T for features in layers.values()])


def hsic_of(layers: dict[str, np.ndarray], sizes: tuple[int, ...]) -> np.ndarray:
    edges = np.cumsum([0, *sizes])
    return np.stack([batch_hsic(grams_of(layers, slice(*pair))) for pair in itertools.pairwise(edges)])


@pytest.fixture(scope="module")
def layers() -> dict[str, np.ndarray]:
    return make_layers(600, [5, 12, 30])


def test_one_minibatch_is_the_u_statistic(layers):
    grams = grams_of(layers, slice(0, 7))
    expected = [[u_statistic(K, L) for L in grams] for K in grams]
    np.testing.assert_allclose(batch_hsic(grams), expected, rtol=1e-10)
    np.testing.assert_allclose(song_hsic(grams[0], grams[1]), expected[0][1], rtol=1e-10)


def test_the_partition_is_part_of_the_estimator():
    assert partition(600) == (256, 256, 88)
    assert partition(516) == (256, 256, 4)
    assert partition(515) == (256, 256)  # 3 images are not used
    assert partition(3) == ()


def test_all_minibatches_agree_with_a_loop(layers):
    sizes = partition(600)
    expected = np.zeros((3, 3))
    for first, second in itertools.product(range(3), repeat=2):
        start = 0
        for size in sizes:
            grams = grams_of(layers, slice(start, start + size))
            expected[first, second] += size * song_hsic(grams[first], grams[second])
            start += size
    norms = np.sqrt(np.diag(expected))
    found = cka_from_hsic(hsic_of(layers, sizes), np.array(sizes))
    np.testing.assert_allclose(found, expected / np.outer(norms, norms), atol=1e-12)


def test_one_minibatch_of_all_images_is_the_metric_of_features(layers):
    few = {name: features[:200] for name, features in layers.items()}
    found = cka_from_hsic(hsic_of(few, (200,)), np.array([200]))
    expected = similarity_matrix(few, metric="cka_linear_debiased").values
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert found[0, 1] == pytest.approx(cka_linear_debiased(few["layer0"], few["layer1"]), abs=1e-10)


def test_float32_and_a_large_mean_keep_six_digits(layers):
    exact = batch_hsic(grams_of(layers, slice(0, 256)))
    shifted = {name: features + 3 for name, features in layers.items()}
    found = batch_hsic(grams_of(shifted, slice(0, 256)).astype(np.float32))
    np.testing.assert_allclose(found, exact, rtol=1e-4)
    np.testing.assert_allclose(batch_hsic(grams_of(shifted, slice(0, 256))), exact, rtol=1e-10)


def test_gram_matrices_are_left_alone(layers):
    grams = grams_of(layers, slice(0, 50))
    before = grams.copy()
    batch_hsic(grams)
    np.testing.assert_array_equal(grams, before)


def test_blocks_of_minibatches_are_those_minibatches(layers):
    sizes = (50,) * 11 + (46,)
    hsic = hsic_of(layers, sizes)
    blocks = HsicBlocks(hsic, np.array(sizes), list(layers))
    assert (blocks.count, blocks.samples, blocks.layers) == (12, 596, tuple(layers))
    found = blocks.values("cka_linear_debiased", [2, 11, 5])
    expected = cka_from_hsic(hsic[[2, 5, 11]], np.array([50, 50, 46]))
    np.testing.assert_allclose(found, expected, atol=1e-14)
    everything = cka_from_hsic(hsic, np.array(sizes))
    np.testing.assert_allclose(blocks.values("cka_linear_debiased"), everything, atol=1e-14)


def test_many_minibatches_are_dealt_out_to_twenty_blocks(layers):
    sizes = np.array((12,) * 50)
    hsic = hsic_of(layers, tuple(sizes))
    blocks = HsicBlocks(hsic, sizes, list(layers))
    assert blocks.count == 20
    found = blocks.values("cka_linear_debiased", [3])
    np.testing.assert_allclose(found, cka_from_hsic(hsic[[3, 23, 43]], sizes[:3]), atol=1e-14)


def test_a_layer_that_does_not_vary_is_left_out(layers):
    constant = {"a": layers["layer0"], "dead": np.full((600, 9), 3.7), "b": layers["layer1"]}
    hsic = np.stack([batch_hsic(grams_of(constant, slice(0, 256)).astype(np.float32))])
    blocks = HsicBlocks(hsic, np.array([256]), list(constant))
    assert (blocks.layers, blocks.constant) == (("a", "b"), ("dead",))
    assert blocks.values("cka_linear_debiased").shape == (2, 2)
    with pytest.raises(InputError, match=r"must vary within the minibatches: those number \[1\] do not"):
        cka_from_hsic(hsic, np.array([256]))


@pytest.mark.parametrize("metric", [name for name in METRICS if name != "cka_linear_debiased"])
def test_no_other_metric_can_be_had_of_flattened_activations(metric):
    message = rf"`flatten` allows `cka_linear_debiased` only: found `{metric}`"
    blocks = HsicBlocks(np.eye(2)[None], np.array([256]), ["a", "b"])
    layers = make_layers(100, [4, 5])
    check_pooling(metric, "mean")
    for refused in (
        lambda: check_pooling(metric, "flatten"),
        lambda: blocks.values(metric),
        lambda: similarity_matrix(layers, metric=metric, pooling="flatten"),
    ):
        with pytest.raises(InputError, match=message):
            refused()
    check_pooling("cka_linear_debiased", "flatten")


@pytest.mark.parametrize("shape", [(2, 3, 3), (2, 5, 4), (5, 5)])
def test_gram_matrices_of_another_shape_are_refused(shape):
    with pytest.raises(InputError, match=r"`grams` must have the shape \(layers, n, n\) with n >= 4"):
        batch_hsic(np.zeros(shape))


def test_gram_matrices_that_are_not_finite_are_refused():
    with pytest.raises(InputError, match="Gram matrices must be finite"):
        batch_hsic(np.full((2, 5, 5), np.inf))


def test_shapes_that_do_not_fit_are_refused():
    for hsic, sizes in ((np.zeros((0, 2, 2)), []), (np.zeros((2, 2, 2)), [256]), (np.eye(2), [1, 1])):
        with pytest.raises(InputError, match=r"`hsic` must have the shape \(minibatches, layers, layers\)"):
            cka_from_hsic(hsic, np.array(sizes))
        with pytest.raises(InputError, match=r"`hsic` must have the shape \(minibatches, layers, layers\)"):
            HsicBlocks(hsic, np.array(sizes), ["a", "b"])
    with pytest.raises(InputError, match=r"`layers` must name the 2 layers of `hsic`: found 3"):
        HsicBlocks(np.eye(2)[None], np.array([256]), ["a", "b", "c"])
