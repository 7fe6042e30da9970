"""The trees against averages and maxima taken by hand, points in the plane, and their own cuts."""

import itertools

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from pursuhint.clustering import PRESETS, cluster_layers, linkage
from pursuhint.clustering.trees import average_tree, complete_tree, ward_tree
from pursuhint.errors import InputError
from tests.clustering.matrices import matrix, random_matrix, together

TREES = ["agglomerative", "complete", "ward"]


@pytest.mark.parametrize("method", TREES)
@pytest.mark.parametrize("clusters", range(1, 10))
def test_a_tree_method_is_the_cut_of_its_own_tree(method, clusters):
    similarity = random_matrix(10, seed=1)
    expected = hierarchy.fcluster(linkage(similarity, method), clusters, "maxclust")
    found = np.array(cluster_layers(similarity, clusters, method=method).labels())
    np.testing.assert_array_equal(together(found), together(expected))


@pytest.mark.parametrize("method", TREES)
def test_k_is_kept_where_merges_are_equally_high(method):
    similarity = matrix(np.eye(6))
    counts = [len(cluster_layers(similarity, k, method=method).clusters) for k in range(1, 7)]
    assert counts == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("tree", "between"), [(average_tree, np.mean), (complete_tree, np.max)])
def test_the_last_merge_is_as_high_as_its_halves_are_apart(tree, between):
    distance = random_matrix(8).distance()
    found = tree(distance)
    halves = hierarchy.fcluster(found, 2, "maxclust")
    assert found[-1, 2] == pytest.approx(between(distance[np.ix_(halves == 1, halves == 2)]))
    assert squareform(hierarchy.cophenet(found)).max() == found[-1, 2]


def test_complete_keeps_clusters_narrower_than_average_does():
    distance = random_matrix(30, seed=2).distance()

    def widest(tree):
        labels = hierarchy.cut_tree(tree(distance), 5).ravel()
        return max(distance[np.ix_(labels == k, labels == k)].max() for k in range(5))

    assert widest(complete_tree) < widest(average_tree)


def test_ward_of_euclidean_distances_is_ward_of_the_points():
    points = np.random.default_rng(3).normal(size=(12, 4))
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.testing.assert_allclose(ward_tree(distance), hierarchy.linkage(points, "ward"), atol=1e-12)


def test_ward_drops_what_no_euclidean_space_can_hold():
    """A star: the leaves are 2 apart, the hub 0.9 from each, where a Euclidean hub is at least 2 / sqrt 3."""
    distance = np.array([[0, 2, 2, 0.9], [2, 0, 2, 0.9], [2, 2, 0, 0.9], [0.9, 0.9, 0.9, 0]])
    found = ward_tree(distance)
    assert np.isfinite(found).all()
    # Without its negative coordinate the hub lies in the plane of the leaves, at their centre.
    assert found[0, 2] == pytest.approx(2 / np.sqrt(3))


@pytest.mark.parametrize("method", ["pursuhint", "kmedoids", "spectral", "contiguous", *PRESETS])
def test_what_has_no_tree_of_its_own_gets_the_average_one(method):
    similarity = random_matrix(8)
    np.testing.assert_array_equal(linkage(similarity, method), average_tree(similarity.distance()))
    np.testing.assert_array_equal(linkage(similarity), average_tree(similarity.distance()))


def test_trees_of_their_own_differ():
    similarity = random_matrix(12)
    for first, second in itertools.combinations(TREES, 2):
        assert not np.allclose(linkage(similarity, first), linkage(similarity, second))


def test_an_unknown_tree_names_the_nearest():
    with pytest.raises(InputError, match="unknown clustering method `wards`: did you mean `ward`"):
        linkage(random_matrix(4), "wards")
