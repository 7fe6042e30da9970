"""RSA: do two layers put the pairs of images into the same order, from alike to different?"""

from __future__ import annotations

import numpy as np

from pursuhint.similarity.metric import MOST_COMPARED, DistancesMetric


def centred_ranks(squared: np.ndarray) -> np.ndarray:
    """Return the centred ranks of all pairs of images by distance; Spearman's rho is the cosine of two.

    Args:
        squared: (n, n) squared Euclidean distances of the images; squaring changes no rank.

    Returns:
        (n (n - 1) / 2,); equal distances share their mean rank.

    Source:
        Kriegeskorte, Mur, Bandettini, "Representational similarity analysis", 2008. Differs from the paper in
        the dissimilarity, Euclidean distance instead of 1 - correlation across features: the correlation
        depends on the mean of every feature and on the axes, and over the 16 channels of a narrow pooled
        layer it is mostly noise. Spearman's rank correlation of the dissimilarities is the paper's.
    """
    from scipy.stats import rankdata  # half a second, which the start of every command would pay

    ranks = rankdata(squared[np.triu_indices_from(squared, 1)])
    return ranks - ranks.mean()


RSA = DistancesMetric(
    name="rsa",
    title="RSA",
    note=f"Agreement on the order of image pairs by distance; the first {MOST_COMPARED:,} images at most.",
    prepare=centred_ranks,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=lambda ranks: 4,
    bounds=(-1.0, 1.0),
)
