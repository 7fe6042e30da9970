"""New bases for a part of the images, from nothing but the cross-products in the bases of all images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import solve_triangular

from pursuhint.errors import InputError
from pursuhint.similarity.basis import RANK_TOLERANCE, Basis
from pursuhint.similarity.threads import one_blas_thread

GRAM_TOLERANCE = 1e-5
"""A direction whose variance fell to this share of what it is over all images does not vary any more: the
cross-products of blocks are float32, whose rounding is a hundred times smaller."""


def check_variation(cross: np.ndarray, offsets: np.ndarray, layers: Sequence[str], share: float) -> None:
    """Refuse a part of the images over which one of the layers does not vary.

    Args:
        cross: (P, P) products of centred coordinates.
        offsets: (L + 1,) first column of every layer, then P.
        layers: L names.
        share: images of the part by all images.

    Raises:
        InputError: there is such a layer.
    """
    largest = np.maximum.reduceat(np.diag(cross), offsets[:-1])
    for name, variance in zip(layers, largest, strict=True):
        if variance <= GRAM_TOLERANCE * share:
            raise InputError(
                f"`{name}` does not vary over this part of the images, {share:.0%} of them; "
                "leave the layer out"
            )


def orthonormal_maps(
    cross: np.ndarray, offsets: np.ndarray, share: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Factor every layer's own products, ``G = F^T F``.

    Over all images a layer's G is the identity; over a good part of them it is near a multiple of it, so that
    Cholesky's factor loses no digits. A direction that does not vary any more is trimmed.

    Args:
        cross: (P, P) products of centred coordinates.
        offsets: (L + 1,) first column of every layer, then P.
        share: images of the part by all images.

    Returns:
        For every layer F (R', R) and a map T (R, R') that makes the coordinates orthonormal: ``T^T G T = I``.
    """
    grams = (cross[start:stop, start:stop] for start, stop in zip(offsets, offsets[1:], strict=False))
    with one_blas_thread():
        return [_factor(gram.astype(np.float64), share) for gram in grams]


def _factor(gram: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    try:
        lower = np.linalg.cholesky(gram)
        inverse = solve_triangular(lower, np.eye(len(gram)), lower=True).T
        # The trace of the inverse bounds the smallest eigenvalue from below.
        if np.sum(np.square(inverse)) < 1 / (GRAM_TOLERANCE * share):
            return lower.T, inverse
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(gram)
    live = values > GRAM_TOLERANCE * max(share, values[-1])
    root, vectors = np.sqrt(values[live]), vectors[:, live]
    return (vectors * root).T, vectors / root


def align(basis: Basis, factor: np.ndarray, inverse: np.ndarray) -> tuple[Basis, np.ndarray]:
    """Turn an orthonormal basis of a part of the images into that of its principal components.

    With ``Z = Q F`` the features are ``Q F S V^T``; the SVD of ``F S = A S' B^T`` gives ``(Q A) S' (V B)^T``.

    Args:
        basis: of all images; its mean is kept.
        factor: F, (R', R).
        inverse: T, (R, R').

    Returns:
        The basis of the part, and the (R, R'') map from coordinates of all images to those of the part.
    """
    turn, singular_values, right = np.linalg.svd(factor * basis.singular_values, full_matrices=False)
    live = singular_values > RANK_TOLERANCE * singular_values[0]
    directions = basis.directions @ right[live].T
    return Basis(basis.mean, singular_values[live], directions), inverse @ turn[:, live]


def apply_maps(cross: np.ndarray, offsets: np.ndarray, maps: Sequence[np.ndarray]) -> np.ndarray:
    """Return ``T_i^T C_ij T_j`` for all pairs, right on and above the diagonal blocks.

    Args:
        cross: (P, P).
        offsets: (L + 1,) first column of every layer, then P.
        maps: L matrices (R_i, R'_i).

    Returns:
        (P', P'), of the type of ``cross``.
    """
    maps = [one.astype(cross.dtype) for one in maps]
    turned = np.cumsum([0, *(one.shape[1] for one in maps)])
    result = np.zeros((turned[-1], offsets[-1]), dtype=cross.dtype)
    with one_blas_thread():
        for layer, one in enumerate(maps):
            start, stop = offsets[layer], offsets[layer + 1]
            np.matmul(one.T, cross[start:stop, start:], out=result[turned[layer] : turned[layer + 1], start:])
        # In place: no layer gets wider, so nothing is overwritten before it is read.
        for layer, one in enumerate(maps):
            start, stop, rows = turned[layer], turned[layer + 1], slice(0, turned[layer + 1])
            result[rows, start:stop] = result[rows, offsets[layer] : offsets[layer + 1]] @ one
    return result[:, : turned[-1]]
