"""Maps in the plane: of the layers by their distances, of the probe images by one layer's features."""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import numpy as np

from pursuhint.errors import InputError, unknown
from pursuhint.similarity.matrix import SimilarityMatrix

LayerMap = Literal["mds", "pca", "umap"]
NEIGHBOURS = 15
FEWEST_FOR_UMAP = 4
CONTINUED = {"learning_rate": 0.25, "n_epochs": 200}
"""For a map that starts from another: smaller steps and fewer. On the digits images move a third less than
with UMAP's own (1.0 and 500), with the same trustworthiness to 0.001."""


def map_layers(similarity: SimilarityMatrix, *, method: LayerMap = "mds") -> np.ndarray:
    """Place layers so that alike ones lie near each other.

    Args:
        similarity: L layers.
        method: ``"mds"``: instant, faithful to large distances; ``"pca"``: instant, by what a layer is alike
            to (its row of the matrix) in place of how alike two layers are; ``"umap"``: seconds, faithful to
            near neighbours.

    Returns:
        (L, 2), centred; the deepest layer right of the first, the point farthest from that axis above it.

    Raises:
        InputError: unknown method, or UMAP of fewer than 4 layers.

    Example:
        >>> values = np.array([[1.0, 0.9, 0.2], [0.9, 1.0, 0.4], [0.2, 0.4, 1.0]])
        >>> similarity = SimilarityMatrix(values, ("a", "b", "c"), "cka_linear", "mean", 100, {}, {})
        >>> map_layers(similarity)[:, 0].round(2).tolist()
        [-0.33, -0.14, 0.47]
    """
    if method not in get_args(LayerMap):
        raise unknown("layer map", method, get_args(LayerMap))
    if method == "pca":
        return _orient(principal_components(similarity.values))
    distance = similarity.distance()
    placed = classical_mds(distance) if method == "mds" else _umap(distance, seed=0, metric="precomputed")
    return _orient(placed)


def map_images(features: np.ndarray, *, start: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    """Place probe images by UMAP so that those one layer sees alike lie near each other.

    UMAP fixes no map's position, size or direction, and its result depends on where it begins. So that images
    move from layer to layer only as far as their neighbourhoods change, the map of a layer begins at the one
    of the layer before and is then laid over it, see `lay_over`.

    Args:
        features: (N, C) representations at one layer.
        start: (N, 2), the map of the layer before; None begins anew, from the features alone. Where nothing
            varies in the features, the images stay there (at one point without it).
        seed: the same seed gives the same map.

    Returns:
        (N, 2).

    Raises:
        InputError: not a matrix of finite numbers of at least 4 images, or a start of another shape.
    """
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or not np.isfinite(features).all():
        found = f"{features.shape}" + " with values NaN or infinite" * (features.ndim == 2)
        raise InputError(
            f"an image map needs finite features of the shape (images, features): found {found}; "
            "collect the representations again"
        )
    if start is None:
        start = np.zeros((len(features), 2))
    elif start.shape != (len(features), 2):
        raise InputError(
            f"a map of {len(features)} images must start from the shape ({len(features)}, 2): found "
            f"{start.shape}; take the map of the same images at another layer"
        )
    _check_enough(features)
    if not np.ptp(features, axis=0).any():
        return np.asarray(start, dtype=np.float64)
    if not np.ptp(start, axis=0).all():  # a point or a line is no start
        return _umap(features, seed=seed, metric="euclidean")
    return lay_over(_umap(features, seed=seed, metric="euclidean", start=start), start)


def lay_over(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Turn, mirror, scale and shift points as a whole so that they lie over others.

    ``s X R + t``: R the best rotation or reflection, s such that both spread equally far about their means.

    Args:
        points: (N, 2).
        target: (N, 2), where each point should be.

    Returns:
        (N, 2), with the mean and the root mean square radius of the target.

    Source:
        Schonemann, "A generalized solution of the orthogonal Procrustes problem", 1966, for R. Differs from
        Procrustes analysis in the scale: the one of least squares shrinks what falls on its target badly, and
        along twenty layers a map would shrink to a dot.

    Example:
        >>> square = np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]])
        >>> turned = 3 * square @ np.array([[0.0, 1], [-1, 0]]) + 7
        >>> bool(np.allclose(lay_over(turned, square), square))
        True
    """
    moved, fixed = points - points.mean(axis=0), target - target.mean(axis=0)
    left, _, right = np.linalg.svd(moved.T @ fixed)
    size = np.linalg.norm(moved)
    scale = np.linalg.norm(fixed) / size if size else 1.0
    return scale * moved @ left @ right + target.mean(axis=0)


def classical_mds(distance: np.ndarray, dimensions: int = 2) -> np.ndarray:
    """Return the first principal coordinates of a distance matrix.

    Args:
        distance: (L, L).
        dimensions: how many coordinates, 1..L; all L of them embed a Euclidean distance exactly.

    Returns:
        (L, dimensions), the widest first; a coordinate of negative eigenvalue, which no real axis has, is 0.

    Source:
        Torgerson, "Multidimensional scaling: I", 1952: eigenvectors of the doubly centred squared distances.
    """
    squared = np.square(distance)
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
    eigenvalues, vectors = np.linalg.eigh(-0.5 * centred)
    widest = slice(-1, -1 - dimensions, -1)
    return vectors[:, widest] * np.sqrt(np.clip(eigenvalues[widest], 0.0, None))


def principal_components(rows: np.ndarray, dimensions: int = 2) -> np.ndarray:
    """Return the coordinates of rows along their axes of largest variance.

    Args:
        rows: (n, features), n of 2 or more.
        dimensions: how many coordinates, 1..min(n, features).

    Returns:
        (n, dimensions), the widest first.

    Source:
        Pearson, "On lines and planes of closest fit", 1901, by singular values of the centred rows.
    """
    left, sizes, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    return left[:, :dimensions] * sizes[:dimensions]


def _orient(placed: np.ndarray) -> np.ndarray:
    """Fix what distances leave open, so that the same matrix is always drawn the same way up."""
    placed = placed - placed.mean(axis=0)
    if placed[-1, 0] < placed[0, 0]:
        placed[:, 0] *= -1
    if placed[np.abs(placed[:, 1]).argmax(), 1] < 0:
        placed[:, 1] *= -1
    return placed


def _check_enough(points: np.ndarray) -> None:
    if len(points) < FEWEST_FOR_UMAP:
        raise InputError(
            f"UMAP needs at least {FEWEST_FOR_UMAP} points: found {len(points)}; use more, or MDS for layers"
        )


def _umap(points: np.ndarray, *, seed: int, metric: str, start: np.ndarray | None = None) -> np.ndarray:
    _check_enough(points)
    from umap import UMAP  # its import takes seconds

    neighbours = min(NEIGHBOURS, len(points) - 1)
    # The spectral start fails on a handful of points; without it a seed still gives one map.
    fresh = "spectral" if len(points) > NEIGHBOURS else "random"
    begin = {"init": fresh} if start is None else {"init": start.astype(np.float32), **CONTINUED}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="using precomputed metric", category=UserWarning)
        mapper = UMAP(n_neighbors=neighbours, metric=metric, random_state=seed, n_jobs=1, **begin)
        return mapper.fit_transform(points).astype(np.float64)
