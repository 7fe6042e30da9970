"""SVCCA: the mean canonical correlation of the principal components that hold 99 % of the variance."""

from __future__ import annotations

import numpy as np

from pursuhint.similarity.metric import MomentsMetric, more_than_two_ranks
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.pair_products import for_pairs

VARIANCE = 0.99


def svcca(moments: Moments) -> np.ndarray:
    """Return SVCCA of all pairs of layers.

    ``mean of rho_1 ... rho_min(r_x, r_y)``, the singular values of ``U_x^T U_y`` with U the first r left
    singular vectors of the centred features, the fewest that hold 99 % of the variance.

    Args:
        moments: of L layers.

    Returns:
        (L, L) in [0, 1].

    Source:
        Raghu, Gilmer, Yosinski, Sohl-Dickstein, "SVCCA: singular vector canonical correlation analysis",
        2017, section 2. The published tutorial adds up singular values instead of their squares; the
        paper's word, variance, is followed.
    """
    cross, bases = moments.principal()
    kept = [components(basis.singular_values) for basis in bases]

    def mean_correlation(first: int, second: int, block: np.ndarray) -> float:
        return np.linalg.svd(block[: kept[first], : kept[second]], compute_uv=False).mean()

    return for_pairs(cross, [basis.rank for basis in bases], mean_correlation)


def components(singular_values: np.ndarray) -> int:
    """Return the fewest principal components that hold 99 % of the variance.

    Example:
        >>> components(np.array([10.0, 3.0, 1.0]))  # 91 %, 99.1 %, 100 %
        2
    """
    held = np.cumsum(np.square(singular_values / singular_values[0]))
    return int(np.searchsorted(held, VARIANCE * held[-1])) + 1


SVCCA = MomentsMetric(
    name="svcca",
    title="SVCCA",
    note="Mean correlation of the directions that hold 99 % of each layer's variance; few images raise it.",
    compute=svcca,
    invariances=frozenset({"translation", "isotropic scaling", "orthogonal"}),
    min_samples=more_than_two_ranks,
    images_per_feature=10,
    # The root of the mean squared correlation: the mean lies up to 20 % below it.
    floor=lambda p, q, samples: (max(p, q) / samples) ** 0.5,
)
