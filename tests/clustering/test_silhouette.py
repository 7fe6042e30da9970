"""The silhouette against scikit-learn's, and the number of clusters that it suggests."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from pursuhint.clustering import METHODS, cluster_layers, silhouette, silhouette_curve, suggested_clusters
from pursuhint.errors import InputError
from tests.clustering.matrices import matrix, planted_matrix, random_matrix


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(4, 30))
    labels = rng.integers(0, rng.integers(2, depth), depth)  # unused numbers and singletons among them
    distance = random_matrix(depth, seed).distance()
    expected = silhouette_score(distance, labels, metric="precomputed")
    assert silhouette(distance, labels) == pytest.approx(expected)


def test_identical_layers_in_two_clusters_are_neither_well_nor_badly_placed():
    assert silhouette(np.zeros((4, 4)), np.array([0, 0, 1, 1])) == 0.0


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 3]])
def test_one_cluster_and_singletons_have_none(labels):
    assert silhouette(random_matrix(4).distance(), np.array(labels)) is None


@pytest.mark.parametrize("method", METHODS)
def test_the_curve_peaks_at_the_true_number(method):
    similarity = planted_matrix([4, 3, 3])
    curve = silhouette_curve(similarity, method=method)
    assert list(curve) == [2, 3, 4, 5, 6, 7, 8]
    assert suggested_clusters(curve) == 3
    assert curve[3] == cluster_layers(similarity, 3, method=method).silhouette


def test_the_curve_ends_before_every_layer_is_alone():
    assert list(silhouette_curve(random_matrix(4))) == [2, 3]
    assert list(silhouette_curve(random_matrix(12), most=4)) == [2, 3, 4]
    assert silhouette_curve(random_matrix(2)) == {}
    assert silhouette_curve(matrix(np.ones((5, 5)))) == {}


def test_of_equal_silhouettes_the_fewest_clusters_are_suggested():
    assert suggested_clusters({5: 0.5, 4: 0.7, 3: 0.7, 2: 0.1}) == 3
    assert suggested_clusters({4: -0.2}) == 4


def test_nothing_to_suggest_is_said():
    with pytest.raises(InputError, match="for at least 3 layers that differ: found none; choose K yourself"):
        suggested_clusters(silhouette_curve(random_matrix(2)))


def test_an_unknown_method_has_no_curve():
    with pytest.raises(InputError, match="unknown clustering method `wards`: did you mean `ward`"):
        silhouette_curve(random_matrix(5), method="wards")
