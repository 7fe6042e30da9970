"""Debiased CKA of flattened activations, of which there are only Gram matrices of minibatches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pursuhint.errors import InputError
from pursuhint.similarity.blocks import COUNT, check_blocks
from pursuhint.similarity.hsic import cosines, unbiased_hsic
from pursuhint.similarity.registry import check_pooling

BATCH = 256
"""Images of one minibatch: part of the estimator, another partition gives another value."""

FEWEST = 4
"""Images below which the unbiased HSIC is not defined."""

GRAM_ROUNDING = 1e-6
"""A Gram matrix that varies by less than this share of its entries is constant: it comes in float32."""


def partition(samples: int) -> tuple[int, ...]:
    """Return the sizes of the minibatches, which take the images in order.

    A remainder of at least 4 images is a batch of its own; fewer images than that are not used.

    Example:
        >>> partition(515), partition(516)
        ((256, 256), (256, 256, 4))
    """
    full, left = divmod(samples, BATCH)
    return (BATCH,) * full + ((left,) if left >= FEWEST else ())


def batch_hsic(grams: np.ndarray) -> np.ndarray:
    """Return the unbiased HSIC of all pairs of layers on one minibatch.

    Args:
        grams: (L, n, n) linear kernels ``X X^T`` of flattened activations, n >= 4.

    Returns:
        (L, L) float64; row and column of a layer that sees all n images alike are 0.

    Raises:
        InputError: fewer than 4 images, not square, or values that are not finite.

    Source:
        Song et al., 2012, equation 5, by `pursuhint.similarity.hsic.unbiased_hsic`.

    Example:
        >>> x = np.array([1.0, 1.0, -1.0, -1.0])
        >>> batch_hsic(np.outer(x, x)[None]).round(3)
        array([[2.667]])
    """
    grams = np.asarray(grams)
    if grams.ndim != 3 or grams.shape[1] != grams.shape[2] or grams.shape[1] < FEWEST:
        raise InputError(
            f"`grams` must have the shape (layers, n, n) with n >= {FEWEST}: found {grams.shape}; "
            f"take minibatches of at least {FEWEST} images"
        )
    if not np.isfinite(grams).all():
        raise InputError(
            "Gram matrices must be finite: found NaN or infinite values; check the weights and the "
            "preprocessing, or leave the layer out"
        )
    centred = grams.astype(np.float64)
    largest = np.abs(centred).max(axis=(1, 2))
    centred -= centred.mean(axis=1, keepdims=True)
    centred -= centred.mean(axis=2, keepdims=True)
    centred[np.abs(centred).max(axis=(1, 2)) <= GRAM_ROUNDING * largest] = 0.0
    flat = centred.reshape(len(centred), -1)
    diagonals = np.diagonal(centred, axis1=1, axis2=2)
    return unbiased_hsic(flat @ flat.T, diagonals @ diagonals.T, diagonals.sum(axis=1), grams.shape[1])


def cka_from_hsic(hsic: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return debiased CKA from the HSIC of minibatches.

    ``CKA = H_ij / sqrt(H_ii H_jj)`` with H the mean of the minibatches' HSIC, each weighted by its images.

    Args:
        hsic: (B, L, L) as `batch_hsic` returns it, of layers that vary.
        sizes: (B,) images of each minibatch.

    Returns:
        (L, L) in [-1, 1], diagonal 1.

    Raises:
        InputError: a layer sees the images of every minibatch alike, or shapes that do not fit.

    Source:
        Nguyen, Raghu, Kornblith, "Do wide and deep networks learn the same things?", 2021, equation 3.
        Differs from the paper in weighting by images: the last minibatch may be smaller.

    Example:
        >>> cka_from_hsic(np.array([[[4.0, 1.0], [1.0, 1.0]]]), np.array([256]))
        array([[1. , 0.5],
               [0.5, 1. ]])
    """
    _check_shapes(hsic, sizes)
    mean = np.average(hsic, axis=0, weights=sizes)
    if not (np.diag(mean) > 0).all():
        constant = np.flatnonzero(np.diag(mean) <= 0).tolist()
        raise InputError(
            f"layers must vary within the minibatches: those number {constant} do not; leave them out"
        )
    values = np.clip(cosines(mean), -1.0, 1.0)
    np.fill_diagonal(values, 1.0)
    return values


class HsicBlocks:
    """Blocks of minibatches, for debiased CKA of flattened activations; see `Blocks`.

    Minibatch m belongs to block m % count; there are at most 20 blocks, and no more than minibatches.

    Args:
        hsic: (B, L, L) of all minibatches.
        sizes: (B,) images of each.
        layers: L names in depth order.

    Attributes:
        layers: names of the layers that vary; those of the others are in ``constant``.

    Example:
        >>> blocks = HsicBlocks(np.array([np.eye(2)] * 3), np.array([256, 256, 8]), ["a", "b"])
        >>> blocks.count, blocks.samples, blocks.values("cka_linear_debiased", [0, 2]).tolist()
        (3, 520, [[1.0, 0.0], [0.0, 1.0]])
    """

    def __init__(self, hsic: np.ndarray, sizes: np.ndarray, layers: Sequence[str]) -> None:
        _check_shapes(hsic, sizes)
        if hsic.shape[1] != len(layers):
            raise InputError(f"`layers` must name the {hsic.shape[1]} layers of `hsic`: found {len(layers)}")
        varies = np.diagonal(hsic, axis1=1, axis2=2).sum(axis=0) > 0
        self.layers = tuple(name for name, does in zip(layers, varies, strict=True) if does)
        self.constant = tuple(name for name, does in zip(layers, varies, strict=True) if not does)
        self.count = min(COUNT, len(sizes))
        self.samples = int(np.sum(sizes))
        self._hsic, self._sizes = hsic[:, varies][:, :, varies], np.asarray(sizes)

    def values(self, metric: str, blocks: Sequence[int] | None = None) -> np.ndarray:
        """Return (L, L) float64 similarities on the named blocks only (None: all), symmetric, diagonal 1.

        Raises:
            InputError: a metric other than debiased CKA, or an unknown block.
        """
        check_pooling(metric, "flatten")
        chosen = np.isin(np.arange(len(self._sizes)) % self.count, check_blocks(blocks, self.count))
        return cka_from_hsic(self._hsic[chosen], self._sizes[chosen])


def _check_shapes(hsic: np.ndarray, sizes: np.ndarray) -> None:
    if hsic.ndim != 3 or hsic.shape[1] != hsic.shape[2] or not len(hsic) or np.shape(sizes) != (len(hsic),):
        raise InputError(
            f"`hsic` must have the shape (minibatches, layers, layers) with one of `sizes` each: found "
            f"{hsic.shape} and {np.shape(sizes)}; measure at least {FEWEST} images"
        )
