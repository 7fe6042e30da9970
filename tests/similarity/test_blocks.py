"""Blocks of images: any part of them gives what exactly those images give."""

import numpy as np
import pytest

from pursuhint.errors import InputError
from pursuhint.similarity import METRICS, Blocks, FeatureBlocks, measure_moments, similarity_matrix
from pursuhint.similarity.block_moments import measure_blocks
from tests.similarity.second_routes import make_layers

COUNT = 8


@pytest.fixture(scope="module")
def layers() -> dict[str, np.ndarray]:
    return {"dead": np.full((420, 2), 3.0), **make_layers(420, [5, 12, 7, 20])}


@pytest.fixture(scope="module")
def blocks(layers) -> Blocks:
    return FeatureBlocks(layers, count=COUNT)


def images_of(layers: dict[str, np.ndarray], chosen: list[int]) -> dict[str, np.ndarray]:
    """Return the features of the chosen blocks' images, found one by one."""
    rows = [row for row in range(420) if row % COUNT in chosen]
    return {name: features[rows] for name, features in layers.items()}


def test_what_blocks_say_of_themselves(blocks):
    assert blocks.layers == ("layer0", "layer1", "layer2", "layer3")
    assert (blocks.count, blocks.samples) == (COUNT, 420)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("chosen", [[3], [5, 0], [0, 1, 2, 4, 7], [0, 1, 2, 3, 5, 6, 7]])
def test_a_part_of_the_blocks_is_exactly_those_images(metric, chosen, blocks, layers):
    found = blocks.values(metric, chosen)
    expected = similarity_matrix(images_of(layers, chosen), metric=metric).values
    np.testing.assert_allclose(found, expected, atol=2e-6)  # blocks are float32
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.diag(found), 1.0)


@pytest.mark.parametrize("metric", METRICS)
def test_all_blocks_are_all_images(metric, blocks, layers):
    expected = similarity_matrix(layers, metric=metric).values
    np.testing.assert_allclose(blocks.values(metric), expected, atol=1e-10)
    np.testing.assert_allclose(blocks.values(metric, range(COUNT)), expected, atol=1e-10)


def test_moments_of_a_part_are_those_of_its_images(layers):
    blocks = measure_blocks(layers, count=2)
    part = blocks.moments_of([0])
    expected = measure_moments({name: features[::2] for name, features in layers.items()})
    assert part.samples == expected.samples == 210
    for found, exact in zip(part.principal()[1], expected.bases, strict=True):
        np.testing.assert_allclose(found.singular_values, exact.singular_values, rtol=1e-5)
    found, exact = part.squared_norms(), expected.squared_norms()
    scales = [np.linalg.norm(basis.singular_values) ** 2 for basis in part.bases]
    shrunk = [np.linalg.norm(basis.singular_values) ** 2 for basis in expected.bases]
    share = np.divide(shrunk, scales)
    np.testing.assert_allclose(found[0], exact[0] * np.outer(share, share), rtol=1e-5)
    np.testing.assert_allclose(found[1], share, rtol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_a_channel_that_dies_on_a_part_of_the_images_does_not_count_there(metric, layers):
    rare = np.where(np.arange(420) % COUNT == 6, np.random.default_rng(0).random(420) + 1, 0.0)
    layers = layers | {"layer1": np.hstack([layers["layer1"], rare[:, None]])}
    chosen = [0, 1, 2, 3, 4, 5, 7]
    found = FeatureBlocks(layers, count=COUNT).values(metric, chosen)
    expected = similarity_matrix(images_of(layers, chosen), metric=metric).values
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_a_layer_that_dies_on_a_part_of_the_images_is_named(metric, layers):
    rare = np.where(np.arange(420) % COUNT == 6, np.random.default_rng(0).random(420) + 1, 0.0)
    blocks = FeatureBlocks(layers | {"rare": rare[:, None]}, count=COUNT)
    with pytest.raises(InputError, match=r"`rare`.*leave the layer out"):
        blocks.values(metric, [0, 1, 2, 3])


def test_metrics_of_distances_see_the_first_thousand_images_of_the_blocks():
    layers = make_layers(1500, [4, 6])
    found = FeatureBlocks(layers, count=5).values("rsa", [1, 3])
    rows = [row for row in range(1000) if row % 5 in (1, 3)]
    expected = similarity_matrix({name: X[rows] for name, X in layers.items()}, metric="rsa").values
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize(
    ("chosen", "found"), [([], r"\[\]"), ([1, 1], r"\[1, 1\]"), ([8], r"\[8\]"), ([-1], r"\[-1\]")]
)
def test_blocks_that_are_not_there_are_refused(chosen, found, blocks):
    message = rf"`blocks` must be distinct numbers between 0 and 7, at least one: found {found}"
    with pytest.raises(InputError, match=message):
        blocks.values("cka_linear", chosen)


def test_too_few_images_in_the_blocks_are_refused(layers):
    blocks = FeatureBlocks(layers, count=20)
    with pytest.raises(InputError, match=r"`r2_cca` needs at least 33 images .* found 21"):
        blocks.values("r2_cca", [4])
    with pytest.raises(InputError, match="`mutual_knn` needs at least 12 images .* found 6"):
        FeatureBlocks(layers, count=70).values("mutual_knn", [69])


def test_an_unknown_metric_names_the_nearest(blocks):
    with pytest.raises(InputError, match=r"unknown metric `cka_liner`: did you mean `cka_linear`\?"):
        blocks.values("cka_liner")


@pytest.mark.parametrize("count", [0, 1, 211])
def test_a_number_of_blocks_that_the_images_cannot_fill_is_refused(count, layers):
    with pytest.raises(InputError, match=rf"between 2 and half the 420 images: found {count}"):
        FeatureBlocks(layers, count=count)
