"""Linear regression: the share of one layer's variance that the other explains."""

from __future__ import annotations

import numpy as np

from pursuhint.similarity.metric import MomentsMetric, more_than_two_ranks
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.pair_products import squared_norms


def linear_regression(moments: Moments) -> np.ndarray:
    """Return R2 of all pairs of layers, in both directions.

    ``R2(X from Y) = ||U_y^T X||_F^2 / ||X||_F^2``, with U_y the left singular vectors of centred Y.

    Args:
        moments: of L layers.

    Returns:
        (L, L) in [0, 1]: row i, column j is the share of layer i's variance that is linear in layer j.
        `symmetrise` takes the mean.

    Source:
        Kornblith, Norouzi, Lee, Hinton, "Similarity of neural network representations revisited", 2019, table
        1. Differs from the paper in trimming the explaining layer to its rank.
    """
    cross, bases = moments.principal()
    ranks = [basis.rank for basis in bases]
    shares = np.concatenate([basis.shares for basis in bases])
    by_later = squared_norms(cross, ranks, rows=shares)
    by_earlier = squared_norms(cross, ranks, columns=shares)
    return np.triu(by_later) + np.triu(by_earlier, 1).T


LINEAR_REGRESSION = MomentsMetric(
    name="linear_regression",
    title="Linear regression",
    note="Share of one layer's variance that is linear in the other; mean of both directions.",
    compute=linear_regression,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=more_than_two_ranks,
    images_per_feature=10,
    symmetric=False,
    floor=lambda p, q, samples: (p + q) / (2 * samples),
)
