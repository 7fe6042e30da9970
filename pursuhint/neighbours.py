"""Which images one layer takes for alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pursuhint.errors import InputError

COUNT = 6


@dataclass(frozen=True)
class Neighbour:
    """An image near another one.

    Attributes:
        image: its row in the features.
        distance: 1 is the root mean square distance of two images at this layer.
    """

    image: int
    distance: float


def nearest_images(features: np.ndarray, image: int, *, count: int = COUNT) -> tuple[Neighbour, ...]:
    """Return the images that a layer places nearest to one image.

    Euclidean distances of the pooled features as they are, the ones that image maps, `mutual_knn` and `rsa`
    look at: who is near here is near there. The layer is standardised as a whole, so that distances can be
    compared between layers; channel by channel, noise in a channel that hardly varies would count as much as
    what the layer says. Cosines would depend on the mean of every channel, which no later layer cares about.

    Args:
        features: (n, C) representations at one layer.
        image: the row whose neighbours are wanted.
        count: how many, fewer where there are no more images.

    Returns:
        The nearest first; of images at the same distance the lower row. Where nothing varies in the features
        all are at distance 0.

    Raises:
        InputError: no such image.

    Example:
        >>> nearest_images(np.array([[0.0], [1.0], [3.0]]), 0, count=1)[0].image
        1
    """
    if not 0 <= image < len(features):
        raise InputError(
            f"`image` must lie between 0 and {len(features) - 1}, the images there are; found {image}"
        )
    rows = np.asarray(features, dtype=np.float64)
    distances = np.linalg.norm(rows - rows[image], axis=1)
    spread = np.sqrt(2 * rows.var(axis=0, ddof=1).sum()) if len(rows) > 1 else 0.0
    if spread:
        distances /= spread
    order = [other for other in np.argsort(distances, kind="stable") if other != image]
    return tuple(Neighbour(int(other), float(distances[other])) for other in order[:count])
