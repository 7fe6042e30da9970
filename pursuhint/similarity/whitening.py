"""New bases for a part of the images, from nothing but the cross-products in the bases of all images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import solve_triangular

from pursuhint.errors import InputError
from pursuhint.similarity.basis import RANK_TOLERANCE, Basis

GRAM_TOLERANCE = 1e-5
"""A direction whose variance fell to this share of what it is over all images does not vary any more: the
cross-products of blocks are float32, whose rounding is a hundred times smaller."""


def orthonormal_maps(
    cross: np.ndarray, offsets: np.ndarray, layers: Sequence[str], share: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Factor every layer's own products, ``G = F^T F``.

    Over all images a layer's G is the identity; over a good part of them it is near a multiple of it, so that
    Cholesky's factor loses no digits. A direction that does not vary any more is trimmed.

    Args:
        cross: (P, P) products of centred coordinates.
        offsets: (L + 1,) first column of every layer, then P.
        layers: L names, for the message.
        share: images of the part by all images.

    Returns:
        For every layer F (R', R) and a map T (R, R') that makes the coordinates orthonormal: ``T^T G T = I``.

    Raises:
        InputError: nothing varies in one of the layers.
    """
    maps = []
    for name, start, stop in zip(layers, offsets, offsets[1:], strict=False):
        factor, inverse = _factor(cross[start:stop, start:stop].astype(np.float64), share)
        if not len(factor):
            raise InputError(
                f"`{name}` does not vary over these images, {share:.0%} of all; leave the layer out"
            )
        maps.append((factor, inverse))
    return maps


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
    rows = np.zeros((turned[-1], offsets[-1]), dtype=cross.dtype)
    for layer, one in enumerate(maps):
        start = offsets[layer]
        rows[turned[layer] : turned[layer + 1], start:] = one.T @ cross[start : offsets[layer + 1], start:]
    result = np.zeros((turned[-1], turned[-1]), dtype=cross.dtype)
    for layer, one in enumerate(maps):
        stop = turned[layer + 1]
        result[:stop, turned[layer] : stop] = rows[:stop, offsets[layer] : offsets[layer + 1]] @ one
    return result
