"""Linear CKA: how alike two layers see the similarities among images."""

from __future__ import annotations

import numpy as np

from pursuhint.similarity.metric import MomentsMetric
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.pair_products import mirrored, squared_norms


def cka_linear(moments: Moments) -> np.ndarray:
    """Return linear CKA of all pairs of layers.

    ``CKA(X, Y) = ||X^T Y||_F^2 / (||X^T X||_F ||Y^T Y||_F)``, the cosine of the two centred Gram matrices.

    Args:
        moments: of L layers.

    Returns:
        (L, L) in [0, 1].

    Source:
        Kornblith, Norouzi, Lee, Hinton, "Similarity of neural network representations revisited", 2019,
        equation 4 with linear kernels: the usual, biased estimator.
    """
    hsic = scaled_products(moments)
    norms = np.sqrt(np.diag(hsic))
    return hsic / np.outer(norms, norms)


def scaled_products(moments: Moments) -> np.ndarray:
    """Return ``||X_i^T X_j||_F^2`` of all pairs, features scaled to unit norm."""
    shares = moments.shares
    return mirrored(squared_norms(moments.cross, moments.ranks, rows=shares, columns=shares))


CKA_LINEAR = MomentsMetric(
    name="cka_linear",
    title="Linear CKA",
    note="Agreement of the strong directions of two layers; faint ones hardly count.",
    compute=cka_linear,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=lambda ranks: 4,
    images_per_feature=1,
    floor=lambda p, q, samples: (p * q) ** 0.5 / samples,
)
