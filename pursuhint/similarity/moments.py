"""Everything that metrics of all pairs need of a set of images: cross-products of all layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pursuhint.errors import unknown
from pursuhint.similarity.basis import Basis
from pursuhint.similarity.pair_products import bilinear_sums, mirrored
from pursuhint.similarity.threads import one_blas_thread
from pursuhint.similarity.whitening import align, apply_maps, check_variation, orthonormal_maps


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
            (`pursuhint.similarity.sweep.panels`) on and above the diagonal are right.
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

    def subset(self, layers: Sequence[str]) -> Moments:
        """Return the moments of some of the layers, without a look at the features.

        Args:
            layers: names, two or more.

        Raises:
            InputError: one that is not there, or does not vary.

        Example:
            >>> from pursuhint.similarity import measure_moments
            >>> features = np.random.default_rng(0).normal(size=(50, 6))
            >>> measure_moments({"a": features, "b": features[:, :3], "c": features}).subset("ca").layers
            ('a', 'c')
        """
        for name in layers:
            if name not in self.layers:
                raise unknown("varying layer", name, self.layers)
        kept = [number for number, name in enumerate(self.layers) if name in layers]
        size, offsets = self.offsets[-1], self.offsets
        coordinates = [np.arange(offsets[one], offsets[one + 1]) for one in kept]
        chosen = np.concatenate([*coordinates, size + np.array(kept), [len(self.sums) - 1]])
        return Moments(
            tuple(self.layers[one] for one in kept),
            tuple(self.bases[one] for one in kept),
            {self.layers[one]: self.widths[self.layers[one]] for one in kept},
            self.sums[np.ix_(chosen, chosen)],
            self.measured_on,
        )

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
