"""CKA with a Gaussian kernel: as linear CKA, but near neighbours count most."""

from __future__ import annotations

import numpy as np

from pursuhint.similarity.metric import MOST_COMPARED, DistancesMetric


def centred_kernel(squared: np.ndarray) -> np.ndarray:
    """Return a layer's centred Gaussian kernel as a vector; CKA is the cosine of two of them.

    ``k(x, y) = exp(-||x - y||^2 / (2 sigma^2))``, sigma^2 the median squared distance of the images.

    Args:
        squared: (n, n) squared Euclidean distances of the images, not all 0.

    Returns:
        (n (n + 1) / 2,): the upper triangle, off-diagonal entries times sqrt(2), so that the dot product of
        two such vectors is that of the matrices.

    Source:
        Kornblith, Norouzi, Lee, Hinton, "Similarity of neural network representations revisited", 2019; the
        bandwidth as in the code they published (`gram_rbf`, threshold 1): the median over all n^2 entries,
        zero diagonal included. The biased estimator.
    """
    # Zero when most pairs coincide, as behind a unit that seldom fires: then those that differ set the scale.
    bandwidth = np.median(squared) or np.median(squared[squared > 0])
    kernel = np.exp(squared / (-2 * bandwidth))
    kernel -= kernel.mean(axis=0)
    kernel -= kernel.mean(axis=1, keepdims=True)
    kernel *= np.sqrt(2)
    kernel[np.diag_indices_from(kernel)] /= np.sqrt(2)
    return kernel[np.triu_indices_from(kernel)]


CKA_RBF = DistancesMetric(
    name="cka_rbf",
    title="RBF CKA",
    note=f"Agreement on which images lie near each other; the first {MOST_COMPARED:,} images at most.",
    prepare=centred_kernel,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=lambda ranks: 4,
)
