"""Linear CKA: how alike two layers see the similarities among images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pursuhint.similarity.cross import cross_products
from pursuhint.similarity.layer import CentredLayer
from pursuhint.similarity.metric import Metric


def cka_linear(layers: Sequence[np.ndarray]) -> np.ndarray:
    """Return linear CKA of all pairs of layers.

    ``CKA(X, Y) = ||X^T Y||_F^2 / (||X^T X||_F ||Y^T Y||_F)``, the cosine of the two centred Gram matrices.

    Args:
        layers: L arrays (N, C_i) with columns of mean 0, none of them all zero.

    Returns:
        (L, L) in [0, 1].

    Source:
        Kornblith, Norouzi, Lee, Hinton, "Similarity of neural network representations revisited", 2019,
        equation 4 with linear kernels: the usual, biased estimator.
    """
    hsic = cross_products(layers)
    norms = np.sqrt(np.diag(hsic))
    return hsic / np.outer(norms, norms)


def scaled_features(layer: CentredLayer) -> np.ndarray:
    """Return (N, min(N, C)) features of unit norm.

    CKA sees neither rotation nor scale; without the scale, fourth powers of features stay inside floating
    point.
    """
    return layer.narrow() / np.linalg.norm(layer.singular_values)


CKA_LINEAR = Metric(
    name="cka_linear",
    title="Linear CKA",
    prepare=scaled_features,
    compute=cka_linear,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=lambda ranks: 4,
    images_per_feature=1,
    note="Agreement of the strong directions of two layers; faint ones hardly count.",
)
