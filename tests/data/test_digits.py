from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits as sklearn_digits

from pursuhint.data import ImageData, load_data

FIRST_TEST_IDS = [2, 3, 5, 6, 8]
DIGITS_ID = "2623bce7eab6a89b"
"""As shipped: plans and analyses carry it, so a change of the split or the pixels makes them all invalid."""


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits")


def test_the_split_is_1000_297_500_and_disjoint(digits: ImageData):
    parts = [digits.train.ids, digits.validation.ids, digits.test.ids]
    assert [len(part) for part in parts] == [1000, 297, 500]
    assert sorted(np.concatenate(parts)) == list(range(1797))


def test_every_part_holds_every_class_in_proportion(digits: ImageData):
    shares = np.bincount(sklearn_digits().target) / 1797
    for part in (digits.train, digits.validation, digits.test):
        counts = np.bincount(part.labels, minlength=10)
        np.testing.assert_allclose(counts, shares * len(part), atol=1.01)


def test_the_split_and_the_id_are_fixed(digits: ImageData):
    again = load_data("digits")
    assert again.id == digits.id
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(again.split(name).ids, digits.split(name).ids)
    assert digits.test.ids[:5].tolist() == FIRST_TEST_IDS
    assert digits.id == DIGITS_ID


def test_images_and_labels_are_scikit_learns(digits: ImageData):
    bunch = sklearn_digits()
    images = digits.test.images()
    assert images.dtype == np.uint8
    assert images.shape == (500, 8, 8, 3)
    np.testing.assert_array_equal(images[..., 0], images[..., 2])
    np.testing.assert_allclose(images[..., 1] * (16 / 255), bunch.images[digits.test.ids], atol=0.04)
    np.testing.assert_array_equal(digits.test.labels, bunch.target[digits.test.ids])
    assert digits.image_shape == (3, 8, 8)
