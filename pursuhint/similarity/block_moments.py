"""Moments of any part of the images, put together from those of about twenty blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pursuhint.similarity.basis import chunks
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.sweep import check_size, chunk_rows, measure_moments, panels, sum_products
from pursuhint.similarity.threads import in_threads

MOST_BYTES = 4 * 10**9
"""Blocks larger than this in all are refused: they are held in memory."""


@dataclass(frozen=True, eq=False)
class BlockMoments:
    """Cross-products of B blocks of images, all in the coordinates of all images.

    Attributes:
        total: moments of all images.
        sums: (B, Q, Q) float32, ``Moments.sums`` of each block.
    """

    total: Moments
    sums: np.ndarray

    @property
    def count(self) -> int:
        """The number of blocks B."""
        return len(self.sums)

    def moments_of(self, blocks: Sequence[int]) -> Moments:
        """Return the moments of the images in some blocks; see `Moments.white` for how they are used.

        Args:
            blocks: distinct block numbers.

        Returns:
            The moments about the mean of all images, in float32: the similarities are off by about 1e-6
            (PWCCA: 1e-5).
        """
        chosen = sorted(set(blocks))
        if len(chosen) == self.count:
            return self.total
        rest = sorted(set(range(self.count)) - set(chosen))
        added, taken = (chosen, []) if len(chosen) <= len(rest) else ([], rest)
        sums = np.empty_like(self.sums[0])
        # A panel of one layer's rows stays in the processor's cache over all blocks.
        for rows in panels(self.total.ranks):
            panel = self._start(rows, whole=bool(taken))
            for block in added:
                panel += self.sums[block, rows, rows.start :]
            for block in taken:
                panel -= self.sums[block, rows, rows.start :]
            sums[rows, rows.start :] = panel
        return replace(self.total, sums=sums)

    def _start(self, rows: slice, *, whole: bool) -> np.ndarray:
        panel = self.total.sums[rows, rows.start :]
        return panel.astype(np.float32) if whole else np.zeros(panel.shape, dtype=np.float32)


def measure_blocks(
    representations: Mapping[str, np.ndarray], *, count: int, total: Moments | None = None
) -> BlockMoments:
    """Measure the moments of every block; image i belongs to block i % count.

    Args:
        representations: layer name -> (N, C) features of the same N images.
        count: number of blocks B.
        total: moments of all these images, where they were measured before.

    Returns:
        The moments of all images and of every block.

    Raises:
        InputError: unusable features, or so many of them that the blocks would not fit into 4 GB.
    """
    total = measure_moments(representations) if total is None else total
    varying = dict(zip(total.layers, total.bases, strict=True))
    check_size(total.bases, item_bytes=4 * count, most_bytes=MOST_BYTES)
    rows = chunk_rows(total.bases) * count

    def measure(block: int) -> np.ndarray:
        slices = [slice(one.start + block, one.stop, count) for one in chunks(total.samples, rows)]
        return sum_products(representations, varying, slices, dtype=np.float32)

    blocks = np.empty((count, *total.sums.shape), dtype=np.float32)
    for block, sums in enumerate(in_threads(measure, range(count))):
        blocks[block] = sums
    return BlockMoments(total, blocks)
