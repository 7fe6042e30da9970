from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from pursuhint.errors import InputError
from pursuhint.lesson import same_class_neighbours


def test_is_leave_one_out_of_the_nearest_neighbour_rule():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    features = (rng.normal(size=(60, 5)) + labels[:, None] + 1000).astype(np.float32)
    right = 0
    for one in range(60):
        others = np.delete(np.arange(60), one)
        rule = KNeighborsClassifier(1).fit(features[others], labels[others])
        right += rule.predict(features[[one]])[0] == labels[one]
    assert same_class_neighbours(features, labels) == pytest.approx(right / 60)


def test_labels_without_meaning_are_met_by_chance():
    rng = np.random.default_rng(0)
    shares = same_class_neighbours(rng.normal(size=(1000, 4)), rng.integers(0, 10, 1000))
    assert shares == pytest.approx(0.1, abs=0.04)


@pytest.mark.parametrize(("images", "labels"), [(1, 1), (3, 2)])
def test_refuses_what_has_no_neighbours(images, labels):
    with pytest.raises(InputError, match=f"found {images} images and {labels} labels"):
        same_class_neighbours(np.zeros((images, 2)), np.zeros(labels))
