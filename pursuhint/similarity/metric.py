"""What a similarity metric declares of itself; the tests of its properties are generated from this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from pursuhint.similarity.moments import Moments

Invariance = Literal["translation", "isotropic scaling", "orthogonal", "invertible linear"]

MOST_COMPARED = 1000
"""Distances among images grow with the square of the images: 1,000 of them take 4 MB a layer."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A similarity of two layers' representations of the same images.

    Attributes:
        name: the key in ``METRICS``.
        title: the name for people.
        note: what it measures, in one line.
        invariances: the maps of one layer's features that leave its similarities alone.
        min_samples: effective ranks of all layers -> the fewest images for which a value means anything.
        images_per_feature: fewer images than this for each feature are warned about.
        floor: ranks of two layers and number of images -> what the two score by chance when they have nothing
            to do with each other and vary alike in all directions, the worst case; None: 0 on average.
        symmetric: whether s(a, b) = s(b, a). If not, a `SimilarityMatrix` holds the mean of both directions.
        flattened: whether it can be measured on flattened activations, of which there are Gram matrices only.
        bounds: lowest and highest value.
        direction: which end of the scale is alike.
        family: what it is computed from: `Moments` of all images, or distances among the first ones.
        most_samples: the images used at most, the first ones; None: all.
    """

    name: str
    title: str
    note: str
    invariances: frozenset[Invariance]
    min_samples: Callable[[Sequence[int]], int]
    images_per_feature: float = 0
    floor: Callable[[int, int, int], float] | None = None
    symmetric: bool = True
    flattened: bool = False
    bounds: tuple[float, float] = (0.0, 1.0)
    direction: Literal["higher is more alike"] = "higher is more alike"
    family: ClassVar[Literal["moments", "distances"]]
    most_samples: ClassVar[int | None] = None


@dataclass(frozen=True, kw_only=True)
class MomentsMetric(Metric):
    """A metric of the cross-products of features.

    Attributes:
        compute: moments of L layers -> (L, L); a metric that is not symmetric returns both directions, the
            row being the layer that is described and the column the one that describes it.
    """

    compute: Callable[[Moments], np.ndarray]
    family: ClassVar[Literal["moments"]] = "moments"


@dataclass(frozen=True, kw_only=True)
class DistancesMetric(Metric):
    """A metric of the distances among images: the cosine of two vectors, one a layer.

    Attributes:
        prepare: (n, n) squared Euclidean distances -> the layer's vector, of any length and norm.
    """

    prepare: Callable[[np.ndarray], np.ndarray]
    family: ClassVar[Literal["distances"]] = "distances"
    most_samples: ClassVar[int] = MOST_COMPARED


def symmetrise(directed: np.ndarray) -> np.ndarray:
    """Return the mean of both directions of a measure that is not symmetric.

    Example:
        >>> symmetrise(np.array([[1.0, 0.25], [0.75, 1.0]]))
        array([[1. , 0.5],
               [0.5, 1. ]])
    """
    return (directed + directed.T) / 2


def more_than_two_ranks(ranks: Sequence[int]) -> int:
    """Return the fewest images for which no correlation is forced up by counting dimensions alone.

    Subspaces of dimensions p and q must meet in the N - 1 dimensions that centring leaves once p + q >= N.

    Example:
        >>> more_than_two_ranks([5, 40, 32])
        73
    """
    return sum(sorted(ranks)[-2:]) + 1
