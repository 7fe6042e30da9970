from __future__ import annotations

import numpy as np
import pytest

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.errors import InputError
from pursuhint.lesson import by_image_count
from pursuhint.similarity import METRICS

PAIR = ("layer2.4", "layer3.4")


@pytest.fixture(scope="module")
def pair() -> list[np.ndarray]:
    analysis = AnalysisFolder(BUILTIN_ANALYSIS)
    return [analysis.features(name) for name in PAIR]


def test_all_images_give_the_value_of_the_matrix(pair):
    matrix = AnalysisFolder(BUILTIN_ANALYSIS).similarity("r2_cca", keep=False)
    found = by_image_count(*pair, [1000], metric="r2_cca")
    places = [matrix.layers.index(name) for name in PAIR]
    assert found.real[0] == pytest.approx(matrix.values[places[0], places[1]])


def test_shuffled_layers_score_what_counting_dimensions_predicts(pair):
    found = by_image_count(*pair, [100, 300, 1000], metric="r2_cca")
    predicted = [METRICS["r2_cca"].floor(32, 64, count) for count in found.counts]
    assert found.shuffled == pytest.approx(predicted, abs=0.03)
    assert all(np.diff(found.shuffled) < 0)


def test_shuffling_keeps_each_layer_and_only_parts_the_images():
    features = np.random.default_rng(0).normal(size=(200, 6))
    found = by_image_count(features, features, [50, 200], metric="cka_linear")
    assert found.real == pytest.approx((1, 1))
    assert max(found.shuffled) < 0.3


def test_more_images_than_there_are():
    with pytest.raises(InputError, match="beyond the 5 images there are: found 6"):
        by_image_count(np.zeros((5, 2)), np.zeros((5, 2)), [6], metric="r2_cca")
