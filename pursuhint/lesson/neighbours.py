"""How far a layer has told the classes apart: who the nearest other image is."""

from __future__ import annotations

import numpy as np

from pursuhint.errors import InputError


def same_class_neighbours(features: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images whose nearest other image, by Euclidean distance, is of their own class.

    Args:
        features: (N, C) of one layer; N at least 2.
        labels: (N,) classes.

    Returns:
        In [0, 1]; of C balanced classes about 1/C by chance. Of equally near images the first one counts.

    Raises:
        InputError: fewer than two images, or not one label an image.

    Source:
        Cover and Hart (1967), IEEE Transactions on Information Theory 13: the nearest-neighbour rule.

    Example:
        >>> same_class_neighbours(np.array([[0.0], [0.1], [5.0], [5.2]]), np.array([0, 0, 1, 0]))
        0.5
    """
    if len(features) < 2 or len(labels) != len(features):
        raise InputError(
            f"at least two images with one label each are needed: found {len(features)} images and "
            f"{len(labels)} labels; take both from the same analysis"
        )
    rows = np.asarray(features, dtype=np.float64)
    rows = rows - rows.mean(axis=0)  # far from the origin, the squares would swallow the differences
    lengths = (rows**2).sum(axis=1)
    squared = lengths[:, None] + lengths - 2 * rows @ rows.T
    np.fill_diagonal(squared, np.inf)
    return float((labels[squared.argmin(axis=1)] == labels).mean())
