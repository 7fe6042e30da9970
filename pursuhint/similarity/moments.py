"""Everything that metrics of all pairs need of the images: cross-products, accumulated chunk by chunk."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.linalg.blas import dsyrk

from pursuhint.errors import InputError
from pursuhint.similarity.basis import Basis, chunks, measure_bases
from pursuhint.similarity.pair_products import bilinear_sums, mirrored
from pursuhint.similarity.threads import one_blas_thread
from pursuhint.similarity.whitening import align, apply_maps, check_variation, orthonormal_maps

CHUNK_BYTES = 32 * 2**20
"""Coordinates of all layers that are in memory at a time."""

MOST_BYTES = 8 * 10**9
"""A matrix of cross-products larger than this is refused before the memory is."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Cross-products of all layers' features over a set of images, in coordinates of the layers' own bases.

    The coordinates of layer i are ``Z_i = (X_i - mean_i) V_i / S_i``; over the ``measured_on`` images of the
    bases their columns are orthonormal. Side by side stand the coordinates of all L layers (P columns), then
    for every layer the squared norm of each image's features, as a share of the layer's total (L columns),
    and a column of ones.

    Attributes:
        layers: L names of the layers that vary, in depth order.
        bases: one for each of ``layers``.
        widths: name -> number of features, layers in which nothing varies included.
        sums: (P + L + 1, P + L + 1) products of those columns, summed over the images. Only the blocks
            (`panels`) on and above the diagonal are right.
        measured_on: number of images that the bases were measured on.
    """

    layers: tuple[str, ...]
    bases: tuple[Basis, ...]
    widths: dict[str, int]
    sums: np.ndarray
    measured_on: int

    @property
    def samples(self) -> int:
        """The number of images N."""
        return round(float(self.sums[-1, -1]))

    @property
    def ranks(self) -> list[int]:
        """Effective ranks of the L layers, over the images that the bases were measured on."""
        return [basis.rank for basis in self.bases]

    @property
    def offsets(self) -> np.ndarray:
        """(L + 1,) first column of every layer, then P."""
        return np.cumsum([0, *self.ranks])

    @property
    def shares(self) -> np.ndarray:
        """(P,) singular values of all layers, those of each layer with a norm of 1."""
        return np.concatenate([basis.shares for basis in self.bases])

    @cached_property
    def mean(self) -> np.ndarray:
        """(P,) mean coordinates of the images: 0, but for rounding, when they are all that were measured."""
        return self.sums[: self.offsets[-1], -1] / self.sums[-1, -1]

    @cached_property
    def cross(self) -> np.ndarray:
        """(P, P) products of the centred coordinates, right on and above the diagonal blocks.

        Raises:
            InputError: a layer does not vary over these images.
        """
        size = self.offsets[-1]
        if self._whole:
            return self.sums[:size, :size]
        cross = np.empty((size, size), dtype=self.sums.dtype)
        for start, stop in zip(self.offsets, self.offsets[1:], strict=False):
            fall = np.outer(self.mean[start:stop] * self.sums[-1, -1], self.mean[start:])
            np.subtract(self.sums[start:stop, start:size], fall, out=cross[start:stop, start:])
        check_variation(cross, self.offsets, self.layers, self.samples / self.measured_on)
        return cross

    def white(self) -> tuple[np.ndarray, list[int]]:
        """Return (P', P') cross-products of orthonormal bases, right on and above the diagonal, and ranks."""
        if self._whole:
            return self.cross, self.ranks
        maps = [inverse for _, inverse in self._orthonormal_maps()]
        return apply_maps(self.cross, self.offsets, maps), [one.shape[1] for one in maps]

    def principal(self) -> tuple[np.ndarray, tuple[Basis, ...]]:
        """Return the same, with each basis in the order and direction of its principal components."""
        if self._whole:
            return self.cross, self.bases
        pairs = zip(self.bases, self._orthonormal_maps(), strict=True)
        with one_blas_thread():
            aligned = [align(basis, factor, inverse) for basis, (factor, inverse) in pairs]
        maps = [one for _, one in aligned]
        return apply_maps(self.cross, self.offsets, maps), tuple(basis for basis, _ in aligned)

    def squared_norms(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums over images of ``k_i k_j``, (L, L), and of ``k_i``, (L,).

        k is the squared norm of an image's centred features in units of the layer's total over the
        ``measured_on`` images. About another mean m it is ``k - 2 x m + m^2``.
        """
        size = self.offsets[-1]
        sums = self.sums[:, size:].astype(np.float64)
        norms, totals = sums[size:-1, :-1], sums[size:-1, -1]
        if self._whole:
            return norms, totals
        move = -2 * np.square(self.shares) * self.mean
        starts = self.offsets[:-1]
        lift = -np.add.reduceat(move * self.mean, starts) / 2
        shift = np.add.reduceat(move * sums[:size, -1], starts)
        moved = np.add.reduceat(move[:, None] * sums[:size, :-1], starts)
        norms = norms + mirrored(bilinear_sums(self.sums, self.ranks, move)) + moved + moved.T
        norms += np.outer(totals + shift, lift) + np.outer(lift, totals + shift)
        return norms + self.samples * np.outer(lift, lift), totals + shift + self.samples * lift

    def save(self, path: Path) -> None:
        """Write an .npz without pickled objects; see `pursuhint.similarity.moments_file`."""
        from pursuhint.similarity.moments_file import save_moments

        save_moments(self, path)

    @classmethod
    def load(cls, path: Path) -> Moments:
        """Read what `save` wrote; see `pursuhint.similarity.moments_file`."""
        from pursuhint.similarity.moments_file import load_moments

        return load_moments(path)

    @property
    def _whole(self) -> bool:
        return self.samples == self.measured_on

    def _orthonormal_maps(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return orthonormal_maps(self.cross, self.offsets, self.samples / self.measured_on)


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
    representations: Mapping[str, np.ndarray], bases: Mapping[str, Basis], slices: Iterable[slice]
) -> np.ndarray:
    """Return ``Moments.sums`` over the images of some slices, float64."""
    ranks = [basis.rank for basis in bases.values()]
    size = sum(ranks)
    # BLAS adds to one triangle in place, in half the time of `sums += columns.T @ columns`.
    sums = np.zeros((size + len(bases) + 1,) * 2).T
    for rows in slices:
        columns = _columns(representations, bases, rows, size)
        with one_blas_thread():
            sums = dsyrk(1.0, columns.T, beta=1.0, c=sums, lower=1, overwrite_c=1)
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
