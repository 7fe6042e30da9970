"""Mutual nearest neighbours: how many of an image's neighbours are the same in both layers?"""

from __future__ import annotations

import numpy as np

from pursuhint.similarity.metric import MOST_COMPARED, DistancesMetric

NEIGHBOURS = 10


def neighbour_weights(squared: np.ndarray) -> np.ndarray:
    """Return who is among whose 10 nearest neighbours; the mean overlap is the cosine of two such vectors.

    Args:
        squared: (n, n) squared Euclidean distances of the images, n > 11.

    Returns:
        (n * n,): 1 for neighbours, else 0. Images at exactly the same distance share the places left, so
        that the order of the images does not matter.

    Source:
        Huh, Cheung, Wang, Isola, "The platonic representation hypothesis", 2024, section 2 and appendix A.
        Differs from the paper in the distance, Euclidean instead of the inner product of features of norm 1,
        which depends on the mean of every feature, and in sharing places.
    """
    distances = squared.copy()
    np.fill_diagonal(distances, np.inf)
    farthest = np.partition(distances, NEIGHBOURS - 1, axis=1)[:, NEIGHBOURS - 1, None]
    nearer, level = distances < farthest, distances == farthest
    left = NEIGHBOURS - nearer.sum(axis=1, keepdims=True)
    return (nearer + level * (left / level.sum(axis=1, keepdims=True))).ravel()


MUTUAL_KNN = DistancesMetric(
    name="mutual_knn",
    title="Mutual neighbours",
    note=(
        f"Share of an image's {NEIGHBOURS} nearest neighbours that two layers agree on; the first "
        f"{MOST_COMPARED:,} images at most."
    ),
    prepare=neighbour_weights,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    # With one image less everybody is everybody's neighbour.
    min_samples=lambda ranks: NEIGHBOURS + 2,
    floor=lambda p, q, samples: NEIGHBOURS / (samples - 1),
)
