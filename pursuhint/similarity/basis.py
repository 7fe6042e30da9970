"""The directions in which one layer's features vary, found in one sweep over chunks of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pursuhint.errors import InputError
from pursuhint.similarity.threads import one_blas_thread

RANK_TOLERANCE = 1e-6
"""Directions this much smaller than the largest one are rounding of float32 activations, not signal."""

FEWEST_ROWS = 1024
"""Images of one QR step: they stay in the processor's cache, which makes the sweep twice as quick."""


@dataclass(frozen=True, eq=False)
class Basis:
    """One layer's mean and the right half of the thin SVD of its centred features, trimmed to rank.

    Attributes:
        mean: (C,) float64, C being the number of features.
        singular_values: (R,) descending, R being the effective rank.
        directions: (C, R) right singular vectors; rows of constant features are 0.
    """

    mean: np.ndarray
    singular_values: np.ndarray
    directions: np.ndarray

    @property
    def width(self) -> int:
        """The number of features C."""
        return len(self.mean)

    @property
    def rank(self) -> int:
        """The effective rank R; 0 when no feature varies."""
        return len(self.singular_values)

    @property
    def shares(self) -> np.ndarray:
        """The singular values with their norm set to 1: no similarity sees scale, fourth powers would."""
        return self.singular_values / np.linalg.norm(self.singular_values)

    def coordinates(self, features: np.ndarray) -> np.ndarray:
        """Return rows (n, R) of the left singular vectors for rows (n, C) of features."""
        centred = np.asarray(features, dtype=np.float64) - self.mean
        return centred @ (self.directions / self.singular_values)


def measure_bases(representations: Mapping[str, np.ndarray], *, chunk: int | None = None) -> dict[str, Basis]:
    """Check every layer and measure its basis.

    Args:
        representations: layer name -> (N, C) features of the same N images: an array, a memory map, or
            anything that slices into rows.
        chunk: images that are in memory at a time; None: chosen from the width.

    Returns:
        Layer name -> basis.

    Raises:
        InputError: not a matrix of numbers, empty, another number of images, or values that are not finite.

    Example:
        >>> features = np.array([[1.0, 2.0, 7.0], [2.0, 4.0, 7.0], [0.0, 0.0, 7.0]])
        >>> measure_bases({"layer1": features})["layer1"].rank
        1
    """
    samples = next((features.shape[0] for features in representations.values()), 0)
    for name, features in representations.items():
        _check_shape(name, features, samples)
    with one_blas_thread():
        return {name: _measure_basis(name, features, chunk) for name, features in representations.items()}


def _measure_basis(name: str, features: np.ndarray, chunk: int | None) -> Basis:
    """Factor the features with a column of ones in front.

    The first row of the triangular factor then holds the mean, the rest is the factor of the centred
    features: the mean need not be known beforehand.
    """
    width = features.shape[1]
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    factor = np.empty((0, width + 1))
    offset = None
    for rows in chunks(features.shape[0], chunk or max(FEWEST_ROWS, 2 * width)):
        part = np.asarray(features[rows], dtype=np.float64)
        low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise _not_finite(name, features)
        # The nearer to the mean, the fewer digits are lost when the ones are taken out.
        offset = part.mean(axis=0) if offset is None else offset
        stacked = np.ones((len(factor) + len(part), width + 1))
        stacked[: len(factor)] = factor
        np.subtract(part, offset, out=stacked[len(factor) :, 1:])
        factor = np.linalg.qr(stacked, mode="r")
    mean = offset + factor[0, 1:] / factor[0, 0]
    centred = factor[1:, 1:]
    # A dead channel behind a bias repeats one value up to rounding, so it is judged against that value.
    centred[:, np.maximum(high - mean, mean - low) <= RANK_TOLERANCE * np.abs(mean)] = 0.0
    if not len(centred):  # a single image
        return Basis(mean, np.empty(0), np.empty((width, 0)))
    _, singular_values, right = np.linalg.svd(centred, full_matrices=False)
    live = singular_values > RANK_TOLERANCE * singular_values[0]
    return Basis(mean, singular_values[live], right[live].T)


def chunks(samples: int, rows: int) -> Iterator[slice]:
    """Cut the images into slices of at most so many rows.

    Example:
        >>> [(one.start, one.stop) for one in chunks(5, 2)]
        [(0, 2), (2, 4), (4, 5)]
    """
    for start in range(0, samples, rows):
        yield slice(start, min(start + rows, samples))


def _check_shape(name: str, features: np.ndarray, samples: int) -> None:
    if len(features.shape) != 2 or 0 in features.shape or features.dtype.kind not in "fiub":
        raise InputError(
            f"features of `{name}` must be numbers of the shape (images, features): found {features.dtype} "
            f"{tuple(features.shape)}; pool or flatten the feature maps first"
        )
    if features.shape[0] != samples:
        raise InputError(
            f"every layer must see the same images: `{name}` has {features.shape[0]}, the first layer "
            f"{samples}; collect the representations again in one pass"
        )


def _not_finite(name: str, features: np.ndarray) -> InputError:
    size = features.shape[0] * features.shape[1]
    parts = (features[rows] for rows in chunks(features.shape[0], FEWEST_ROWS))
    bad = size - sum(np.count_nonzero(np.isfinite(part)) for part in parts)
    return InputError(
        f"features of `{name}` must be finite: found {bad} of {size} values NaN or infinite; "
        "check the weights and the preprocessing, or leave the layer out"
    )
