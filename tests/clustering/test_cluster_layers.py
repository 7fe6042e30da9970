"""Every method through the one function: planted groups, declared properties, exhaustive search."""

import itertools

import numpy as np
import pytest

from pursuhint.clustering import METHODS, cluster_layers
from pursuhint.errors import InputError
from pursuhint.similarity import SimilarityMatrix
from tests.clustering.matrices import matrix, planted_matrix, random_matrix, together


@pytest.fixture
def blocks() -> SimilarityMatrix:
    """Three plain groups of 4, 3 and 2 layers."""
    group = np.repeat([0, 1, 2], [4, 3, 2])
    values = np.where(together(group), 0.9, 0.2)
    np.fill_diagonal(values, 1.0)
    return matrix(values)


@pytest.mark.parametrize("method", METHODS)
def test_plain_groups_are_found(blocks, method):
    found = cluster_layers(blocks, 3, method=method)
    names = blocks.layers
    assert found.clusters == (names[:4], names[4:7], names[7:])
    assert found.labels() == (0, 0, 0, 0, 1, 1, 1, 2, 2)
    assert found.method == method
    assert not found.cycled
    assert found.silhouette == pytest.approx(1 - 0.1 / 0.8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clusters", [1, 2, 5, 11, 12])
def test_clusters_share_out_the_layers_in_depth_order(method, clusters):
    similarity = random_matrix(12)
    found = cluster_layers(similarity, clusters, method=method)
    depth = similarity.layers.index
    assert len(found.clusters) == len(found.centres) == clusters
    assert sorted(itertools.chain(*found.clusters), key=depth) == list(similarity.layers)
    assert all(list(names) == sorted(names, key=depth) for names in found.clusters)
    assert list(found.centres) == sorted(found.centres, key=depth)
    assert all(centre in names for centre, names in zip(found.centres, found.clusters, strict=True))
    assert all(isinstance(name, str) for name in found.centres)
    assert (found.silhouette is None) == (clusters in (1, 12))


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.centre == "medoid"])
def test_centres_are_medoids_where_declared(method):
    similarity = random_matrix(14, seed=4)
    found = cluster_layers(similarity, 4, method=method)
    distance, index = similarity.distance(), similarity.layers.index
    for centre, names in zip(found.centres, found.clusters, strict=True):
        total = {name: sum(distance[index(name), index(other)] for other in names) for name in names}
        assert total[centre] == pytest.approx(min(total.values()))


def test_centres_of_pursuhint_are_declared_not_to_be_medoids():
    assert METHODS["pursuhint"].centre == "middle of depth"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("clusters", [1, 2, 3])
def test_k_medoids_comes_near_exhaustive_search(clusters, seed):
    similarity = random_matrix(10, seed)
    distance = similarity.distance()
    found = [
        similarity.layers.index(name)
        for name in cluster_layers(similarity, clusters, method="kmedoids").centres
    ]
    choices = itertools.combinations(range(10), clusters)
    best = min(distance[:, list(choice)].min(axis=1).sum() for choice in choices)
    assert distance[:, found].min(axis=1).sum() <= 1.05 * best


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if not method.uses_depth])
def test_distances_alone_decide_where_depth_does_not_count(method):
    similarity = planted_matrix([7, 6, 8, 3])
    order = np.random.default_rng(5).permutation(24)
    shuffled = matrix(similarity.values[np.ix_(order, order)])
    straight = np.array(cluster_layers(similarity, 4, method=method).labels())
    found = np.array(cluster_layers(shuffled, 4, method=method).labels())
    np.testing.assert_array_equal(together(found), together(straight[order]))


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.uses_depth])
def test_depth_counts_where_declared(method):
    similarity = planted_matrix([7, 6, 8, 3])
    order = np.random.default_rng(5).permutation(24)
    shuffled = matrix(similarity.values[np.ix_(order, order)])
    straight = np.array(cluster_layers(similarity, 4, method=method).labels())
    found = np.array(cluster_layers(shuffled, 4, method=method).labels())
    assert (together(found) != together(straight[order])).any()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(5))
def test_planted_groups_are_found_through_noise(method, seed):
    sizes = [9, 5, 12, 7]
    found = cluster_layers(planted_matrix(sizes, noise=0.15, seed=seed), 4, method=method)
    np.testing.assert_array_equal(found.labels(), np.repeat(range(4), sizes))


@pytest.mark.parametrize("method", METHODS)
def test_the_same_question_has_the_same_answer(method):
    similarity = random_matrix(20)
    first, second = (cluster_layers(similarity, 4, method=method, seed=1) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("method", [name for name in METHODS if name != "spectral"])
def test_the_seed_does_not_matter_to_methods_that_do_not_draw(method):
    similarity = random_matrix(20)
    first, second = (cluster_layers(similarity, 4, method=method, seed=seed) for seed in (1, 2))
    assert first == second


@pytest.mark.parametrize("method", METHODS)
def test_identical_layers(method):
    similarity = matrix(np.ones((5, 5)))
    found = cluster_layers(similarity, 3, method=method)
    assert sorted(itertools.chain(*found.clusters)) == list(similarity.layers)
    assert len(set(found.centres)) == len(found.clusters)
    assert all(centre in names for centre, names in zip(found.centres, found.clusters, strict=True))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clusters", [0, -1, 6])
def test_k_outside_the_layers_is_refused(method, clusters):
    message = rf"between 1 and the number of layers, 5: found {clusters}; choose at most 5"
    with pytest.raises(InputError, match=message):
        cluster_layers(random_matrix(5), clusters, method=method)


def test_an_unknown_method_names_the_nearest():
    message = (
        r"unknown clustering method `k-medoids`: did you mean `kmedoids`\? Known: pursuhint, agglomerative, "
        "complete, ward, kmedoids, spectral, contiguous"
    )
    with pytest.raises(InputError, match=message):
        cluster_layers(random_matrix(5), 2, method="k-medoids")
