from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from pursuhint.data import load_data


def test_sizes_and_id_are_fixed():
    data = load_data("fake")
    assert (len(data.train), len(data.validation), len(data.test)) == (576, 64, 160)
    assert data.image_shape == (3, 32, 32)
    assert np.bincount(data.test.labels).tolist() == [16] * 10
    assert load_data("fake").id == data.id


def test_the_classes_can_be_learned():
    """A linear model on a coarse grid of pixels does far better than the 10 % of guessing."""
    data = load_data("fake")
    rows = {
        name: data.split(name).images()[:, ::8, ::8].reshape(len(data.split(name)), -1) / 255
        for name in ("train", "test")
    }
    model = LogisticRegression(max_iter=300).fit(rows["train"], data.train.labels)
    assert model.score(rows["test"], data.test.labels) > 0.8
