"""Maps against configurations that are known beforehand."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import trustworthiness

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.embedding import classical_mds, lay_over, map_images, map_layers
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


def test_a_map_laid_over_another_is_turned_as_scipy_turns_it():
    from scipy.linalg import orthogonal_procrustes

    target, points = RNG.normal(size=(50, 2)) + 4, RNG.normal(size=(50, 2)) * 7 - 1
    found = lay_over(points, target)
    np.testing.assert_allclose(found.mean(axis=0), target.mean(axis=0))
    np.testing.assert_allclose(np.var(found, axis=0).sum(), np.var(target, axis=0).sum())
    moved = points - points.mean(axis=0)
    turn, _ = orthogonal_procrustes(moved, target - target.mean(axis=0))
    direction = (found - found.mean(axis=0)) / np.linalg.norm(found - found.mean(axis=0))
    np.testing.assert_allclose(direction, moved @ turn / np.linalg.norm(moved), atol=1e-12)


def test_a_mirrored_map_falls_back_onto_itself_and_one_point_onto_the_middle():
    target = RNG.normal(size=(20, 2))
    np.testing.assert_allclose(lay_over(target * [-3, 3] + 9, target), target, atol=1e-12)
    np.testing.assert_allclose(lay_over(np.ones((20, 2)), target), np.tile(target.mean(axis=0), (20, 1)))


def test_maps_that_continue_each_other_move_less_and_see_the_same():
    folder = AnalysisFolder.open(BUILTIN_ANALYSIS)
    first, second = (np.array(folder.features(name)[:300]) for name in ("layer3.4", "layer3.5"))
    before = map_images(first)
    apart, continued = map_images(second), map_images(second, start=before)

    def way(points):
        return np.linalg.norm(points - before, axis=1).mean()

    assert way(continued) < 0.6 * way(lay_over(apart, before)) < 0.6 * way(apart)
    alone = trustworthiness(second, apart, n_neighbors=8)
    assert trustworthiness(second, continued, n_neighbors=8) > alone - 0.01
    np.testing.assert_array_equal(continued, map_images(second, start=before))


def test_images_that_nothing_tells_apart_stay_where_they_were():
    before = RNG.normal(size=(9, 2))
    np.testing.assert_array_equal(map_images(np.ones((9, 3)), start=before), before)
    assert np.ptp(map_images(np.ones((9, 3))), axis=0).tolist() == [0, 0]


def test_a_start_that_is_one_point_is_none():
    features = RNG.normal(size=(12, 3))
    found = map_images(features, start=np.zeros((12, 2)))
    np.testing.assert_array_equal(found, map_images(features))


def test_the_start_must_be_of_the_same_images():
    with pytest.raises(
        InputError, match=r"9 images must start from the shape \(9, 2\): found \(8, 2\); take"
    ):
        map_images(RNG.normal(size=(9, 3)), start=np.zeros((8, 2)))
