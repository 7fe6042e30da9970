"""Procrustes similarity: how well one layer, turned rigidly, falls onto the other."""

from __future__ import annotations

import numpy as np

from pursuhint.similarity.metric import MomentsMetric
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.pair_products import for_pairs


def procrustes(moments: Moments) -> np.ndarray:
    """Return the Procrustes similarity of all pairs of layers.

    ``s(X, Y) = ||X^T Y||_* / (||X||_F ||Y||_F)``, the largest cosine of X and Y over all rotations of Y (the
    narrower one padded with zeros).

    Args:
        moments: of L layers.

    Returns:
        (L, L) in [0, 1].

    Source:
        Ding, Denain, Steinhardt, "Grounding representation similarity with statistical testing", 2021,
        section 3: their distance is ``d^2 = 2 - 2 s`` with unit Frobenius norms. netrep's angular
        distance (Williams, Kunz, Kornblith, Linderman, 2021) is ``arccos(s)``.
    """
    bases = moments.bases
    size = np.add.reduceat(np.square(moments.shares) * np.diag(moments.cross), moments.offsets[:-1])
    norms = np.sqrt(size)

    def cosine(first: int, second: int, block: np.ndarray) -> float:
        product = bases[first].shares[:, None] * block * bases[second].shares
        return np.linalg.svd(product, compute_uv=False).sum() / (norms[first] * norms[second])

    return for_pairs(moments.cross, moments.ranks, cosine)


PROCRUSTES = MomentsMetric(
    name="procrustes",
    title="Procrustes",
    note="How well one layer falls onto the other after the best rotation; every direction by its strength.",
    compute=procrustes,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=lambda ranks: 4,
    images_per_feature=10,
    floor=lambda p, q, samples: (min(p, q) / samples) ** 0.5,
)
