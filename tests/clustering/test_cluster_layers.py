"""Every method through the one function, against scipy, scikit-learn and exhaustive search."""

import itertools

import numpy as np
import pytest
from scipy.cluster.hierarchy import cophenet, fcluster
from scipy.spatial.distance import squareform
from sklearn.metrics import silhouette_samples

from pursuhint.clustering import METHODS, cluster_layers, linkage, silhouette_curve
from pursuhint.errors import InputError
from pursuhint.similarity import SimilarityMatrix


def matrix(values: np.ndarray) -> SimilarityMatrix:
    names = tuple(f"layer{number}" for number in range(len(values)))
    return SimilarityMatrix(np.asarray(values, dtype=float), names, "cka_linear", "mean", 1000, {}, {})


def random_matrix(depth: int, seed: int = 0) -> SimilarityMatrix:
    points = np.random.default_rng(seed).normal(size=(depth, 3))
    return matrix(np.exp(-np.linalg.norm(points[:, None] - points[None], axis=-1)))


@pytest.fixture
def blocks() -> SimilarityMatrix:
    """Three plain groups of 4, 3 and 2 layers."""
    group = np.repeat([0, 1, 2], [4, 3, 2])
    values = np.where(np.equal.outer(group, group), 0.9, 0.2)
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


@pytest.mark.parametrize("clusters", range(1, 10))
def test_agglomerative_is_the_cut_of_its_own_dendrogram(clusters):
    similarity = random_matrix(10, seed=1)
    expected = fcluster(linkage(similarity), clusters, "maxclust")
    labels = np.array(cluster_layers(similarity, clusters, method="agglomerative").labels())
    np.testing.assert_array_equal(np.equal.outer(labels, labels), np.equal.outer(expected, expected))


def test_agglomerative_keeps_k_where_merges_are_equally_high():
    similarity = matrix(np.eye(6))
    assert [len(cluster_layers(similarity, k, method="agglomerative").clusters) for k in range(1, 7)] == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]


def test_linkage_averages_over_all_pairs():
    similarity = random_matrix(8)
    tree, distance = linkage(similarity), similarity.distance()
    labels = fcluster(tree, 2, "maxclust")
    assert tree[-1, 2] == pytest.approx(distance[np.ix_(labels == 1, labels == 2)].mean())
    assert squareform(cophenet(tree)).max() == tree[-1, 2]


@pytest.mark.parametrize("method", METHODS)
def test_the_same_question_has_the_same_answer(method):
    similarity = random_matrix(20)
    assert cluster_layers(similarity, 4, method=method, seed=1) == cluster_layers(
        similarity, 4, method=method, seed=2
    )


@pytest.mark.parametrize("method", METHODS)
def test_identical_layers(method):
    similarity = matrix(np.ones((5, 5)))
    found = cluster_layers(similarity, 3, method=method)
    assert sorted(itertools.chain(*found.clusters)) == list(similarity.layers)
    assert len(set(found.centres)) == len(found.clusters)
    assert all(centre in names for centre, names in zip(found.centres, found.clusters, strict=True))


def test_the_silhouette_is_the_mean_over_layers():
    similarity = random_matrix(12)
    found = cluster_layers(similarity, 4)
    expected = silhouette_samples(similarity.distance(), found.labels(), metric="precomputed").mean()
    assert found.silhouette == pytest.approx(expected)


def test_the_silhouette_curve_peaks_at_the_true_number(blocks):
    for method in METHODS:
        curve = silhouette_curve(blocks, method=method)
        assert list(curve) == [2, 3, 4, 5, 6, 7, 8]
        assert max(curve, key=curve.get) == 3
        assert curve[3] == cluster_layers(blocks, 3, method=method).silhouette


def test_the_silhouette_curve_ends_before_every_layer_is_alone():
    assert list(silhouette_curve(random_matrix(4))) == [2, 3]
    assert list(silhouette_curve(random_matrix(12), most=4)) == [2, 3, 4]
    assert silhouette_curve(random_matrix(2)) == {}
    assert silhouette_curve(matrix(np.ones((5, 5)))) == {}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clusters", [0, -1, 6])
def test_k_outside_the_layers_is_refused(method, clusters):
    message = rf"between 1 and the number of layers, 5: found {clusters}; choose at most 5"
    with pytest.raises(InputError, match=message):
        cluster_layers(random_matrix(5), clusters, method=method)


def test_an_unknown_method_names_the_nearest():
    message = (
        r"unknown clustering method `k-medoids`: did you mean `kmedoids`\? Known: pursuhint, agglomerative"
    )
    with pytest.raises(InputError, match=message):
        cluster_layers(random_matrix(5), 2, method="k-medoids")
    with pytest.raises(InputError, match="unknown clustering method `wards`"):
        silhouette_curve(random_matrix(5), method="wards")
