"""PWCCA: canonical correlations, weighted by how much of a layer's features lies along each of them."""

from __future__ import annotations

import numpy as np

from pursuhint.similarity.metric import MomentsMetric, more_than_two_ranks
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.pair_products import for_pairs


def pwcca(moments: Moments) -> np.ndarray:
    """Return PWCCA of all pairs of layers, in both directions.

    ``sum_k w_k rho_k / sum_k w_k``, with ``w_k = sum_c |<h_k, x_c>|`` over the layer's centred features x_c
    and h_k its canonical variables, min(r_x, r_y) of them.

    Args:
        moments: of L layers.

    Returns:
        (L, L) in [0, 1]: row i, column j has the weights of layer i. `symmetrise` takes the mean.

    Source:
        Morcos, Raghu, Bengio, "Insights on representational similarity in neural networks with canonical
        correlation", 2018, equation 4 (its alpha is w here). Differs from the published code, which takes the
        weights of the layer with fewer features, in giving both directions, and in trimming to rank. Where
        correlations coincide the canonical variables are not unique, and the value depends on which of them
        the SVD returns: up to 0.03 was seen for two layers that share two of three directions exactly.
    """
    cross, bases = moments.principal()
    loadings = [(basis.directions * basis.shares).T for basis in bases]
    backwards = np.eye(len(bases))

    def weighted(first: int, second: int, block: np.ndarray) -> float:
        left, correlations, right = np.linalg.svd(block, full_matrices=False)
        backwards[second, first] = _mean(correlations, right @ loadings[second])
        return _mean(correlations, left.T @ loadings[first])

    forwards = for_pairs(cross, [basis.rank for basis in bases], weighted)
    return np.triu(forwards) + np.tril(backwards, -1)


def _mean(correlations: np.ndarray, projections: np.ndarray) -> float:
    return np.average(correlations, weights=np.abs(projections).sum(axis=1))


PWCCA = MomentsMetric(
    name="pwcca",
    title="PWCCA",
    note="Mean correlation, directions weighted by their part in the features; mean of both directions.",
    compute=pwcca,
    invariances=frozenset({"translation", "isotropic scaling"}),
    min_samples=more_than_two_ranks,
    images_per_feature=10,
    symmetric=False,
    floor=lambda p, q, samples: (max(p, q) / samples) ** 0.5,  # as SVCCA
)
