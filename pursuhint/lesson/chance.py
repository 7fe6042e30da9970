"""What a similarity owes to chance: the same two layers, once image by image, once shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pursuhint.errors import InputError
from pursuhint.similarity import similarity_matrix


@dataclass(frozen=True)
class RealAndShuffled:
    """One metric on more and more images.

    Attributes:
        metric: a name of `pursuhint.similarity.METRICS`.
        counts: numbers of images.
        real: the similarity of both layers on so many images.
        shuffled: the same where each image of the one layer meets a random image of the other, so that the
            two have nothing to do with each other.
    """

    metric: str
    counts: tuple[int, ...]
    real: tuple[float, ...]
    shuffled: tuple[float, ...]


def by_image_count(
    first: np.ndarray, second: np.ndarray, counts: Sequence[int], *, metric: str, seed: int = 0
) -> RealAndShuffled:
    """Compare two layers on the first few images, on more, and so on; and the same layers shuffled.

    Args:
        first: (N, C1) features.
        second: (N, C2) features of the same images.
        counts: numbers of images, each at most N.
        metric: a name of `pursuhint.similarity.METRICS`.
        seed: of the shuffling.

    Raises:
        InputError: more images than there are, or what `similarity_matrix` refuses.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> first = rng.normal(size=(400, 8))
        >>> found = by_image_count(first, first[:, :4], [100, 400], metric="r2_cca")
        >>> [round(value, 3) for value in found.real], [round(value, 2) for value in found.shuffled]
        ([1.0, 1.0], [0.08, 0.01])
    """
    if max(counts) > len(first):
        raise InputError(
            f"`counts` must not go beyond the {len(first)} images there are: found {max(counts)}; "
            "ask for fewer"
        )
    draw = np.random.default_rng(seed)
    real, shuffled = [], []
    for count in counts:
        other = np.asarray(second[:count])
        real.append(_similarity(first[:count], other, metric))
        shuffled.append(_similarity(first[:count], other[draw.permutation(count)], metric))
    return RealAndShuffled(metric, tuple(counts), tuple(real), tuple(shuffled))


def _similarity(first: np.ndarray, second: np.ndarray, metric: str) -> float:
    compared = similarity_matrix({"first": np.asarray(first), "second": second}, metric=metric)
    return float(compared.values[0, 1])
