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


def chance_level(first: int, second: int, samples: int) -> float:
    """Return what unrelated layers score that are normal with the same variance in every direction.

    The expected kernel and its spread have closed forms, with a squared distance of 2 p on average. In many
    directions all images are equally far apart, and the diagonal that every kernel has is what two share.

    Args:
        first: directions p of one layer.
        second: directions of the other.
        samples: number of images n.

    Returns:
        In (0, 1).
    """
    own = []
    for p in (first, second):
        mean = (1 + 1 / p) ** (-p / 2)
        shared_image = (1 + 1 / (2 * p)) ** -p * (1 + 2 / (2 * p + 1)) ** (-p / 2)
        spread = (1 + 2 / p) ** (-p / 2) - 2 * shared_image + mean**2
        own.append((1 - mean) / (samples * spread + (1 - mean) ** 2) ** 0.5)
    return own[0] * own[1]


CKA_RBF = DistancesMetric(
    name="cka_rbf",
    title="RBF CKA",
    note=f"Agreement on which images lie near each other; the first {MOST_COMPARED:,} images at most.",
    prepare=centred_kernel,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=lambda ranks: 4,
    floor=chance_level,
)
