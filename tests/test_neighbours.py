"""Neighbours against brute force, pair by pair."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from pursuhint.errors import InputError
from pursuhint.neighbours import nearest_images

FEATURES = np.random.default_rng(3).normal(size=(40, 7)) * [9, 4, 1, 1, 1, 0.1, 0] + 5


def test_the_nearest_are_those_of_brute_force_in_units_of_the_layer():
    unit = np.sqrt(np.mean(pdist(FEATURES, "sqeuclidean")))
    for image in (0, 17, 39):
        apart = [
            np.sqrt(sum((a - b) ** 2 for a, b in zip(FEATURES[image], row, strict=True))) for row in FEATURES
        ]
        expected = sorted((distance, other) for other, distance in enumerate(apart) if other != image)[:6]
        found = nearest_images(FEATURES, image)
        assert [one.image for one in found] == [other for _, other in expected]
        np.testing.assert_allclose([one.distance for one in found], [d / unit for d, _ in expected])


def test_scale_and_origin_of_a_layer_change_nothing():
    for moved in (FEATURES * 1000, FEATURES + 77, FEATURES.astype(np.float32)):
        for one, other in zip(nearest_images(FEATURES, 5), nearest_images(moved, 5), strict=True):
            assert one.image == other.image and one.distance == pytest.approx(other.distance, rel=1e-4)


def test_a_channel_with_much_to_say_counts_for_more():
    loud = FEATURES * [1, 1, 1, 1, 1, 10_000, 1]
    order = np.argsort(np.abs(FEATURES[:, 5] - FEATURES[8, 5]))
    assert [one.image for one in nearest_images(loud, 8)] == order[1:7].tolist()


def test_equal_distances_go_to_the_lower_row_and_there_may_be_few_images():
    assert [one.image for one in nearest_images(np.array([[0.0], [1], [-1], [1]]), 0)] == [1, 2, 3]
    assert nearest_images(np.zeros((1, 3)), 0) == ()


def test_where_nothing_varies_all_are_at_distance_0():
    assert [(one.image, one.distance) for one in nearest_images(np.ones((3, 2)), 1)] == [(0, 0.0), (2, 0.0)]


@pytest.mark.parametrize("image", [-1, 40])
def test_an_image_that_is_not_there_is_refused(image):
    with pytest.raises(InputError, match=f"`image` must lie between 0 and 39, .*; found {image}"):
        nearest_images(FEATURES, image)
