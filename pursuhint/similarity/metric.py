"""What a similarity metric declares of itself; the tests of its properties are generated from this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pursuhint.similarity.layer import CentredLayer

Invariance = Literal["translation", "isotropic scaling", "orthogonal", "invertible linear"]


@dataclass(frozen=True)
class Metric:
    """A similarity of two layers' representations of the same images.

    The work is cut in two: ``prepare`` once a layer, ``compute`` once for all pairs.

    Attributes:
        name: the key in ``METRICS``.
        title: the name for people.
        prepare: one centred layer -> whatever ``compute`` needs of it.
        compute: L prepared layers -> (L, L) similarities, only the upper triangle needs to be right.
        invariances: the maps of one layer's features that leave its similarities alone.
        min_samples: effective ranks of all layers -> the fewest images for which a value means anything.
        images_per_feature: fewer images than this for each feature are warned about.
        note: what it measures, in one line.
        most_samples: the images used at most, the first ones; None: all.
        direction: which end of the scale is alike.
        symmetric: whether s(a, b) = s(b, a).
        bounds: lowest and highest value.
    """

    name: str
    title: str
    prepare: Callable[[CentredLayer], np.ndarray]
    compute: Callable[[Sequence[np.ndarray]], np.ndarray]
    invariances: frozenset[Invariance]
    min_samples: Callable[[Sequence[int]], int]
    images_per_feature: float
    note: str
    most_samples: int | None = None
    direction: Literal["higher is more alike"] = "higher is more alike"
    symmetric: bool = True
    bounds: tuple[float, float] = (0.0, 1.0)
