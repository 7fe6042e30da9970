"""PWCCA: canonical correlations, weighted by how much of a layer's features lies along each of them."""

from __future__ import annotations

import numpy as np

from pursuhint.similarity.metric import MomentsMetric, more_than_two_ranks
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.threads import in_threads


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
    ranks = np.array([basis.rank for basis in bases])
    offsets = np.cumsum([0, *ranks])
    loadings = [(basis.directions * basis.shares).T for basis in bases]
    values = np.eye(len(bases))

    def row(first: int) -> None:
        panel = cross[offsets[first] : offsets[first + 1]]
        later = np.arange(first + 1, len(bases))
        for rank in np.unique(ranks[later]):
            # Blocks of one size together: a call for each would spend more on calling than on computing.
            group = later[ranks[later] == rank]
            blocks = np.stack([panel[:, offsets[second] : offsets[second + 1]] for second in group])
            left, correlations, right = np.linalg.svd(blocks.astype(np.float64), full_matrices=False)
            values[first, group] = _means(correlations, left.swapaxes(1, 2) @ loadings[first])
            for second, found, directions in zip(group, correlations, right, strict=True):
                values[second, first] = _means(found, directions @ loadings[second])

    for _ in in_threads(row, range(len(bases))):
        pass
    return values


def _means(correlations: np.ndarray, projections: np.ndarray) -> np.ndarray:
    """Return the mean correlation, (...), of (..., K) weighted by the sizes of (..., K, features)."""
    weights = np.abs(projections).sum(axis=-1)
    return (correlations * weights).sum(axis=-1) / weights.sum(axis=-1)


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
