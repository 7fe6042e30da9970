"""What every metric needs of a layer, computed once: centred features, their SVD and their rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pursuhint.errors import InputError

RANK_TOLERANCE = 1e-6
"""Directions this much smaller than the largest one are rounding of float32 activations, not signal."""


@dataclass(frozen=True)
class LayerNote:
    """How far one layer's row of the matrix can be trusted.

    Attributes:
        width: number of features.
        effective_rank: number of directions in which the features vary.
        samples_per_feature: images divided by width.
        status: ``"ok"``, or the most serious reservation.
        text: the same for people, in one line.
    """

    width: int
    effective_rank: int
    samples_per_feature: float
    status: Literal["ok", "constant", "few samples", "rank-deficient"]
    text: str


@dataclass(frozen=True, eq=False)
class CentredLayer:
    """One layer's features with their mean removed, and the right half of their thin SVD, trimmed to rank.

    Attributes:
        features: (N, C) float64, every column with mean 0; constant columns are exactly 0.
        singular_values: (R,) descending, R being the effective rank.
        directions: (C, R) right singular vectors.
    """

    features: np.ndarray
    singular_values: np.ndarray
    directions: np.ndarray

    @property
    def rank(self) -> int:
        """The effective rank R."""
        return len(self.singular_values)

    def basis(self) -> np.ndarray:
        """Return the left singular vectors, (N, R): an orthonormal basis of what the layer can express."""
        return self.features @ (self.directions / self.singular_values)

    def narrow(self) -> np.ndarray:
        """Return (N, min(N, C)) features with the same Gram matrix: wide ones rotated into N columns."""
        samples, width = self.features.shape
        return np.linalg.qr(self.features.T, mode="r").T if width > samples else self.features


def centre_layer(features: np.ndarray) -> CentredLayer:
    """Centre the columns and trim to the effective rank.

    The singular values come from the triangular factor of a QR decomposition, which shares them with the
    features and is only as large as the layer is wide.

    Args:
        features: (N, C), any real type, finite.

    Returns:
        The centred layer; its rank is 0 when no feature varies.

    Example:
        >>> centre_layer(np.array([[1.0, 2.0, 7.0], [2.0, 4.0, 7.0], [0.0, 0.0, 7.0]])).rank
        1
    """
    features = np.asarray(features, dtype=np.float64)
    mean = features.mean(axis=0)
    centred = features - mean
    # A dead channel behind a bias repeats one value up to rounding, so it is judged against that value.
    spread = np.abs(centred).max(axis=0)
    centred[:, spread <= RANK_TOLERANCE * np.abs(mean)] = 0.0
    _, singular_values, right = np.linalg.svd(np.linalg.qr(centred, mode="r"), full_matrices=False)
    live = singular_values > RANK_TOLERANCE * singular_values[0]
    return CentredLayer(centred, singular_values[live], right[live].T)


def check_features(name: str, features: np.ndarray, samples: int) -> None:
    """Refuse features that no metric can use.

    Args:
        name: the layer, for the message.
        features: what should be (samples, C).
        samples: the number of images that every layer must have.

    Raises:
        InputError: not a matrix of numbers, empty, another number of images, or values that are not finite.
    """
    if features.ndim != 2 or features.size == 0 or features.dtype.kind not in "fiub":
        raise InputError(
            f"features of `{name}` must be numbers of the shape (images, features): found {features.dtype} "
            f"{features.shape}; pool or flatten the feature maps first"
        )
    if len(features) != samples:
        raise InputError(
            f"every layer must see the same images: `{name}` has {len(features)}, the first layer {samples}; "
            "collect the representations again in one pass"
        )
    bad = features.size - np.count_nonzero(np.isfinite(features))
    if bad:
        raise InputError(
            f"features of `{name}` must be finite: found {bad} of {features.size} values NaN or infinite; "
            "check the weights and the preprocessing, or leave the layer out"
        )


def note_layer(layer: CentredLayer, *, images_per_feature: float) -> LayerNote:
    """Say how far a layer's similarities can be trusted.

    Args:
        layer: the centred layer.
        images_per_feature: fewer images than this for each feature are warned about.

    Returns:
        The note. Unrelated layers of width C reach about C / N by chance (R2-CCA always, CKA at worst).
    """
    samples, width = layer.features.shape
    ratio = samples / width
    if layer.rank == 0:
        text = f"no feature varies over {samples:,} images; left out of the matrix and of the clusters"
        return LayerNote(width, 0, ratio, "constant", text)
    parts = []
    if layer.rank < min(width, samples - 1):
        parts.append(
            f"{layer.rank} of {width} directions vary, the others are dead or dependent and do not count"
        )
    if ratio < images_per_feature:
        parts.append(
            f"{ratio:.3g} images per feature: unrelated layers this wide score up to "
            f"{min(1.0, 1 / ratio):.2f}; take {int(np.ceil(images_per_feature * width)):,} images or more"
        )
        return LayerNote(width, layer.rank, ratio, "few samples", "; ".join(parts))
    if parts:
        return LayerNote(width, layer.rank, ratio, "rank-deficient", parts[0])
    return LayerNote(
        width, layer.rank, ratio, "ok", f"all {width} directions vary, {ratio:.3g} images per feature"
    )
