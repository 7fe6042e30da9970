"""CKA with a Gaussian kernel: as linear CKA, but near neighbours count most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import pdist, squareform

from pursuhint.similarity.layer import CentredLayer
from pursuhint.similarity.metric import Metric

MOST_SAMPLES = 1000
"""A kernel matrix grows with the square of the images: 1,000 of them take 4 MB a layer."""


def centred_kernel(layer: CentredLayer) -> np.ndarray:
    """Return a layer's centred Gaussian kernel as a vector of unit norm.

    ``k(x, y) = exp(-||x - y||^2 / (2 sigma^2))``, sigma^2 the median squared distance of the images.

    Args:
        layer: the centred layer, N images.

    Returns:
        (N * (N + 1) / 2,): the upper triangle, off-diagonal entries times sqrt(2), so that the dot product of
        two such vectors is that of the matrices.

    Source:
        Kornblith, Norouzi, Lee, Hinton, "Similarity of neural network representations revisited", 2019; the
        bandwidth as in the code they published (`gram_rbf`, threshold 1): the median over all N^2 entries,
        zero diagonal included.
    """
    squared = squareform(pdist(layer.narrow(), "sqeuclidean"))
    # Zero when most pairs coincide, as behind a unit that seldom fires: then those that differ set the scale.
    bandwidth = np.median(squared) or np.median(squared[squared > 0])
    kernel = np.exp(squared / (-2 * bandwidth))
    kernel -= kernel.mean(axis=0)
    kernel -= kernel.mean(axis=1, keepdims=True)
    kernel *= np.sqrt(2)
    kernel[np.diag_indices_from(kernel)] /= np.sqrt(2)
    triangle = kernel[np.triu_indices_from(kernel)]
    return triangle / np.linalg.norm(triangle)


def cka_rbf(kernels: Sequence[np.ndarray]) -> np.ndarray:
    """Return CKA of all pairs of layers as the cosines of their centred kernels.

    Args:
        kernels: L vectors of unit norm, as `centred_kernel` returns them.

    Returns:
        (L, L) in [0, 1].
    """
    stacked = np.stack(kernels)
    return stacked @ stacked.T


CKA_RBF = Metric(
    name="cka_rbf",
    title="RBF CKA",
    prepare=centred_kernel,
    compute=cka_rbf,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=lambda ranks: 4,
    images_per_feature=0,
    note=f"Agreement on which images lie near each other; the first {MOST_SAMPLES:,} images at most.",
    most_samples=MOST_SAMPLES,
)
