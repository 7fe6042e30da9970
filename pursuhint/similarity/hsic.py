"""The unbiased HSIC, from few sums: for debiased CKA of features and of minibatches of Gram matrices."""

from __future__ import annotations

import numpy as np


def unbiased_hsic(inner: np.ndarray, diagonals: np.ndarray, traces: np.ndarray, samples: int) -> np.ndarray:
    """Return the unbiased estimate of HSIC for all pairs of kernels.

    With K and L centred and ``K' = K - diag(K)``, the rows of K' sum to ``-k``, so that Song's three terms
    ``tr(K'L') + 1^T K' 1 1^T L' 1 / ((n-1)(n-2)) - 2/(n-2) 1^T K' L' 1`` become
    ``<K, L> - n/(n-2) k.l + tr(K) tr(L) / ((n-1)(n-2))``, divided by ``n (n-3)``.

    Args:
        inner: (L, L) inner products ``sum K_ab L_ab`` of the centred kernels.
        diagonals: (L, L) inner products of their diagonals.
        traces: (L,) sums of their diagonals.
        samples: number of images n, at least 4.

    Returns:
        (L, L). It is an inner product of matrices (Székely and Rizzo, 2014), so never negative on the
        diagonal and bounded by Cauchy and Schwarz elsewhere.

    Source:
        Song, Smola, Gretton, Bedo, Borgwardt, "Feature selection via dependence maximization", 2012, equation
        5. The result is the same for kernels that are not centred; centring saves digits.
    """
    product = np.outer(traces, traces) / ((samples - 1) * (samples - 2))
    return (inner - samples / (samples - 2) * diagonals + product) / (samples * (samples - 3))


def cosines(hsic: np.ndarray) -> np.ndarray:
    """Return ``h_ij / sqrt(h_ii h_jj)``; the diagonal must be positive."""
    norms = np.sqrt(np.diag(hsic))
    return hsic / np.outer(norms, norms)
