"""Measuring moments chunk by chunk: memory does not grow with the number of images."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.linalg.blas import dsyrk, ssyrk

from pursuhint.errors import InputError
from pursuhint.similarity.basis import Basis, chunks, measure_bases
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.pair_products import mirrored
from pursuhint.similarity.threads import one_blas_thread

CHUNK_BYTES = 32 * 2**20
"""Coordinates of all layers that are in memory at a time."""

MOST_BYTES = 8 * 10**9
"""A matrix of cross-products larger than this is refused before the memory is."""


def measure_moments(representations: Mapping[str, np.ndarray], *, chunk: int | None = None) -> Moments:
    """Measure the moments of all images in two sweeps: bases, then cross-products.

    Memory: the square of the sum of the effective ranks, whatever the number of images.

    Args:
        representations: layer name -> (N, C) features of the same N images in one order; layers in depth
            order. Memory maps are read chunk by chunk.
        chunk: images that are in memory at a time; None: as many as fit into 32 MB.

    Returns:
        The moments; layers in which nothing varies are in ``widths`` only.

    Raises:
        InputError: unusable features, or so many of them that the cross-products would not fit into 8 GB.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> moments = measure_moments({"stem": rng.normal(size=(100, 3)), "dead": np.ones((100, 4))})
        >>> moments.layers, moments.samples, moments.sums.shape
        (('stem',), 100, (5, 5))
    """
    bases = measure_bases(representations, chunk=chunk)
    varying = {name: basis for name, basis in bases.items() if basis.rank}
    samples = next((features.shape[0] for features in representations.values()), 0)
    check_size(list(varying.values()), item_bytes=8, most_bytes=MOST_BYTES)
    rows = chunk or chunk_rows(varying.values())
    sums = sum_products(representations, varying, chunks(samples, rows))
    return gather(bases, sums, samples)


def gather(bases: Mapping[str, Basis], sums: np.ndarray, measured_on: int) -> Moments:
    """Put sums together with the bases of all layers, those in which nothing varies included."""
    varying = {name: basis for name, basis in bases.items() if basis.rank}
    widths = {name: basis.width for name, basis in bases.items()}
    return Moments(tuple(varying), tuple(varying.values()), widths, sums, measured_on)


def sum_products(
    representations: Mapping[str, np.ndarray],
    bases: Mapping[str, Basis],
    slices: Iterable[slice],
    *,
    dtype: type[np.floating] = np.float64,
) -> np.ndarray:
    """Return ``Moments.sums`` over the images of some slices, float64 or float32."""
    ranks = [basis.rank for basis in bases.values()]
    size = sum(ranks)
    add_products = dsyrk if dtype == np.float64 else ssyrk
    # BLAS adds to one triangle in place, in half the time of `sums += columns.T @ columns`.
    sums = np.zeros((size + len(bases) + 1,) * 2, dtype=dtype).T
    for rows in slices:
        columns = _columns(representations, bases, rows, size).astype(dtype, copy=False)
        with one_blas_thread():
            sums = add_products(1.0, columns.T, beta=1.0, c=sums, lower=1, overwrite_c=1)
    sums = sums.T
    for block in panels(ranks):
        sums[block, block] = mirrored(sums[block, block])
    return sums


def panels(ranks: Sequence[int]) -> list[slice]:
    """Return the blocks of ``Moments.sums``: each layer's coordinates, and all that stands behind them.

    Example:
        >>> [(block.start, block.stop) for block in panels([3, 5])]
        [(0, 3), (3, 8), (8, 11)]
    """
    edges = np.cumsum([0, *ranks, len(ranks) + 1]).tolist()
    return [slice(*pair) for pair in itertools.pairwise(edges)]


def _columns(
    representations: Mapping[str, np.ndarray], bases: Mapping[str, Basis], rows: slice, size: int
) -> np.ndarray:
    count = len(range(rows.start, rows.stop, rows.step or 1))
    columns = np.ones((count, size + len(bases) + 1))
    start = 0
    for layer, (name, basis) in enumerate(bases.items()):
        coordinates = basis.coordinates(representations[name][rows])
        columns[:, start : start + basis.rank] = coordinates
        columns[:, size + layer] = np.square(coordinates) @ np.square(basis.shares)
        start += basis.rank
    return columns


def chunk_rows(bases: Iterable[Basis]) -> int:
    """Return how many images' coordinates fit into `CHUNK_BYTES`, at least 256."""
    return max(256, CHUNK_BYTES // (8 * max(1, sum(basis.rank for basis in bases))))


def check_size(bases: Sequence[Basis], *, item_bytes: int, most_bytes: int) -> None:
    """Refuse cross-products that would not fit into memory.

    Args:
        bases: of the layers that vary.
        item_bytes: memory of one entry of the cross-products.
        most_bytes: what is allowed.

    Raises:
        InputError: it is exceeded.
    """
    columns = sum(basis.rank for basis in bases)
    needed = (columns + len(bases) + 1) ** 2 * item_bytes
    if needed > most_bytes:
        raise InputError(
            f"cross-products of {len(bases)} layers with {columns:,} directions would take "
            f"{needed / 1e9:.1f} GB: at most {most_bytes / 1e9:.0f} GB are allowed; choose fewer layers"
        )
