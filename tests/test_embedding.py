"""Maps against configurations that are known beforehand."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import trustworthiness

from pursuhint.embedding import classical_mds, map_images, map_layers
from pursuhint.errors import InputError
from pursuhint.similarity import SimilarityMatrix

RNG = np.random.default_rng(0)


def matrix(distance: np.ndarray) -> SimilarityMatrix:
    names = tuple(f"layer{number}" for number in range(len(distance)))
    return SimilarityMatrix(1.0 - distance, names, "cka_linear", "mean", 1000, {}, {})


@pytest.fixture
def curve() -> np.ndarray:
    """Layers along a bent line in the plane."""
    angle = np.linspace(0.2, 2.5, 24)
    return 0.4 * np.stack([-np.cos(angle), np.sin(angle)], axis=1)


def test_mds_gives_back_distances_in_the_plane(curve):
    distance = squareform(pdist(curve))
    np.testing.assert_allclose(squareform(pdist(map_layers(matrix(distance)))), distance, atol=1e-9)


def test_mds_agrees_with_principal_components_beyond_the_plane():
    points = RNG.normal(size=(30, 5)) * [5, 4, 1, 1, 1]
    found = classical_mds(squareform(pdist(points)))
    left, values, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(found), np.abs(left[:, :2] * values[:2]), atol=1e-9)


def test_mds_of_layers_on_a_line_needs_one_direction():
    line = np.linspace(0, 0.9, 7)
    found = map_layers(matrix(np.abs(np.subtract.outer(line, line))))
    np.testing.assert_allclose(found[:, 0], line - line.mean(), atol=1e-9)
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-6)


def test_mds_of_two_layers():
    found = map_layers(matrix(np.array([[0.0, 0.6], [0.6, 0.0]])))
    np.testing.assert_allclose(found, [[-0.3, 0], [0.3, 0]], atol=1e-9)


def test_mds_of_identical_layers_is_one_point():
    np.testing.assert_array_equal(map_layers(matrix(np.zeros((3, 3)))), np.zeros((3, 2)))


def test_a_map_is_always_the_same_way_up(curve):
    for mirrored in (curve, curve * [-1, 1], curve * [1, -1], -curve, curve[:, ::-1]):
        found = map_layers(matrix(squareform(pdist(mirrored))))
        assert found[-1, 0] > found[0, 0]
        assert found[np.abs(found[:, 1]).argmax(), 1] > 0
        np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)


def test_pca_of_layers_agrees_with_scikit_learn(curve):
    from sklearn.decomposition import PCA

    similarity = matrix(squareform(pdist(curve)))
    found, expected = map_layers(similarity, method="pca"), PCA(2).fit_transform(similarity.values)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)
    assert found[-1, 0] > found[0, 0]  # drawn the way of the other maps


def test_umap_of_layers_keeps_neighbours_and_repeats(curve):
    distance = squareform(pdist(curve))
    found = map_layers(matrix(distance), method="umap")
    assert found.shape == (24, 2)
    assert trustworthiness(distance, found, n_neighbors=3, metric="precomputed") > 0.9
    assert found[-1, 0] > found[0, 0]
    np.testing.assert_array_equal(found, map_layers(matrix(distance), method="umap"))


def test_umap_of_four_layers():
    found = map_layers(matrix(squareform(pdist(RNG.random((4, 3))))), method="umap")
    assert found.shape == (4, 2)
    assert np.isfinite(found).all()


def test_the_image_map_keeps_classes_apart_and_repeats():
    centres = 10 * RNG.normal(size=(3, 16))
    classes = np.repeat([0, 1, 2], 40)
    features = (centres[classes] + RNG.normal(size=(120, 16))).astype(np.float32)
    found = map_images(features, seed=4)
    distance = squareform(pdist(found))
    np.fill_diagonal(distance, np.inf)
    assert (classes[distance.argmin(axis=1)] == classes).all()
    np.testing.assert_array_equal(found, map_images(features, seed=4))


def test_an_unknown_map_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown layer map `umapp`: did you mean `umap`\?"):
        map_layers(matrix(np.zeros((3, 3))), method="umapp")


def test_umap_of_three_points_is_refused():
    message = "UMAP needs at least 4 points: found 3; use more, or MDS for layers"
    with pytest.raises(InputError, match=message):
        map_layers(matrix(np.zeros((3, 3))), method="umap")
    with pytest.raises(InputError, match=message):
        map_images(np.zeros((3, 2)))


def test_features_that_cannot_be_mapped_are_refused():
    with pytest.raises(InputError, match=r"shape \(images, features\): found \(4, 2, 2\); collect"):
        map_images(np.zeros((4, 2, 2)))
    with pytest.raises(InputError, match=r"found \(9, 2\) with values NaN or infinite; collect"):
        map_images(np.full((9, 2), np.nan))
