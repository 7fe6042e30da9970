"""Linear CKA from the unbiased HSIC: layers that have nothing to do with each other score 0 at any width."""

from __future__ import annotations

import numpy as np

from pursuhint.errors import InputError
from pursuhint.similarity.cka_linear import scaled_products
from pursuhint.similarity.hsic import cosines, unbiased_hsic
from pursuhint.similarity.metric import MomentsMetric
from pursuhint.similarity.moments import Moments

NOTHING = 1e-9
"""An unbiased HSIC below this share of the biased one is the rounding that is left of equal terms."""


def cka_linear_debiased(moments: Moments) -> np.ndarray:
    """Return debiased linear CKA of all pairs of layers.

    The cosine of the layers under the unbiased HSIC of linear kernels, in feature space over all images.

    Args:
        moments: of L layers, at least 4 images.

    Returns:
        (L, L) in [-1, 1]: chance falls on both sides of 0, and a value is not set to 0 for being negative.

    Raises:
        InputError: a layer sees all pairs of images alike, so that its own HSIC is 0.

    Source:
        Kornblith et al., 2019, equation 4, with the estimator of Song et al., 2012, equation 5, as Nguyen,
        Raghu, Kornblith, "Do wide and deep networks learn the same things?", 2021 use it; here all images are
        one batch.
    """
    inner = scaled_products(moments)
    hsic = unbiased_hsic(inner, *moments.squared_norms(), moments.samples)
    least = NOTHING * np.diag(inner) / moments.samples**2
    for name, own, smallest in zip(moments.layers, np.diag(hsic), least, strict=True):
        if own <= smallest:
            raise InputError(
                f"`cka_linear_debiased` is not defined for `{name}`: it sees all pairs of the "
                f"{moments.samples:,} images alike; take more images, or leave the layer out"
            )
    return cosines(hsic)


CKA_LINEAR_DEBIASED = MomentsMetric(
    name="cka_linear_debiased",
    title="Debiased CKA",
    note="As linear CKA, but unrelated layers score 0 on average, however wide they are; can fall below 0.",
    compute=cka_linear_debiased,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=lambda ranks: 4,
    flattened=True,
    bounds=(-1.0, 1.0),
)
