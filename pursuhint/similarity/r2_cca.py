"""R2-CCA: the mean squared canonical correlation, the metric of the PURSUhInT paper's examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pursuhint.similarity.cross import cross_products
from pursuhint.similarity.layer import CentredLayer
from pursuhint.similarity.metric import Metric


def r2_cca(bases: Sequence[np.ndarray]) -> np.ndarray:
    """Return R2-CCA of all pairs of layers.

    ``R2(X, Y) = ||U_x^T U_y||_F^2 / min(r_x, r_y)``, with U the left singular vectors of the centred features
    and r their effective rank: the canonical correlations are the singular values of ``U_x^T U_y``.

    Args:
        bases: L arrays (N, R_i) with orthonormal columns of mean 0.

    Returns:
        (L, L) in [0, 1]; 1 where one layer's features are linear in the other's. Independent layers of ranks
        p and q score about max(p, q) / N.

    Source:
        Kornblith, Norouzi, Lee, Hinton, "Similarity of neural network representations revisited", 2019, table
        1. Differs from the paper in dividing by the smaller effective rank instead of one width, and in
        trimming the SVD: by plain QR two independent layers with 32 of 64 channels dead score 0.50.
    """
    ranks = np.array([basis.shape[1] for basis in bases])
    return cross_products(bases) / np.minimum.outer(ranks, ranks)


def more_than_two_ranks(ranks: Sequence[int]) -> int:
    """Return the fewest images for which no R2-CCA is forced up by counting dimensions alone.

    Subspaces of dimensions p and q must meet in the N - 1 dimensions that centring leaves once p + q >= N.
    """
    return sum(sorted(ranks)[-2:]) + 1


R2_CCA = Metric(
    name="r2_cca",
    title="R²-CCA",
    prepare=CentredLayer.basis,
    compute=r2_cca,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal", "invertible linear"}),
    min_samples=more_than_two_ranks,
    images_per_feature=10,
    note="Share of one layer's directions that the other can express linearly, however faint they are.",
)
