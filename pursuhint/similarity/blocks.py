"""Similarities of parts of the images: what resampling needs, whatever it is computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.spatial.distance import squareform

from pursuhint.errors import InputError
from pursuhint.similarity.basis import measure_bases
from pursuhint.similarity.block_moments import BlockMoments, measure_blocks
from pursuhint.similarity.compare import check_layers, settle
from pursuhint.similarity.distances import compare_distances, squared_distances
from pursuhint.similarity.metric import MOST_COMPARED, DistancesMetric
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.registry import find_metric

COUNT = 20
"""Blocks that the images are cut into."""


class Blocks(Protocol):
    """Similarities of parts of the images.

    Attributes:
        layers: names of the layers that vary, in depth order.
        count: number of blocks the images are cut into; image i belongs to block i % count, so that each
            block holds each class in proportion when every beginning of the images does.
        samples: images in all blocks.
    """

    layers: tuple[str, ...]
    count: int
    samples: int

    def values(self, metric: str, blocks: Sequence[int] | None = None) -> np.ndarray:
        """Return (L, L) float64 similarities on the named blocks only (None: all), symmetric, diagonal 1."""
        ...


class FeatureBlocks:
    """Blocks of pooled features, for all metrics.

    Everything is measured once, when it is first needed: moments of all images, distances among the first
    1,000. A part of the images then takes no look at the features. Metrics of distances see the images of the
    named blocks that are among the first 1,000.

    Args:
        representations: layer name -> (N, C) features of the same N images; layers in depth order.
        count: number of blocks, at least 2 images each.
        moments: of all images, where they were measured before.

    Raises:
        InputError: unusable features, or a number of blocks that the images cannot fill.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(400, 4))
        >>> blocks = FeatureBlocks({"a": features, "b": features[:, :2]})
        >>> blocks.values("r2_cca", [0, 1, 2, 3, 4]).round(4).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """

    def __init__(
        self,
        representations: Mapping[str, np.ndarray],
        *,
        count: int = COUNT,
        moments: Moments | None = None,
    ) -> None:
        samples = next((features.shape[0] for features in representations.values()), 0)
        if not 2 <= count <= samples // 2:
            raise InputError(
                f"`count` must lie between 2 and half the {samples:,} images: found {count}; "
                "take fewer blocks or more images"
            )
        self.count, self.samples = count, samples
        self._representations, self._known = dict(representations), moments

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that vary, in depth order."""
        return self._moments.total.layers

    def values(self, metric: str, blocks: Sequence[int] | None = None) -> np.ndarray:
        """Return the similarities on some of the blocks.

        Args:
            metric: key in ``METRICS``.
            blocks: distinct block numbers; None: all.

        Returns:
            (L, L) float64, symmetric, diagonal 1.

        Raises:
            InputError: unknown metric or block, too few images, or a layer that does not vary on them.
        """
        measure = find_metric(metric)
        chosen = check_blocks(blocks, self.count)
        total = self._moments.total
        if isinstance(measure, DistancesMetric):
            rows = np.flatnonzero(np.isin(np.arange(min(MOST_COMPARED, self.samples)) % self.count, chosen))
            check_layers(measure, total.layers, total.ranks, len(rows), list(total.widths))
            layers = (
                (name, squareform(squared)[np.ix_(rows, rows)]) for name, squared in self._distances.items()
            )
            return settle(measure, compare_distances(measure, layers))
        moments = self._moments.moments_of(chosen)
        check_layers(measure, moments.layers, moments.ranks, moments.samples, list(moments.widths))
        return settle(measure, measure.compute(moments))

    @cached_property
    def _moments(self) -> BlockMoments:
        return measure_blocks(self._representations, count=self.count, total=self._known)

    @cached_property
    def _distances(self) -> dict[str, np.ndarray]:
        firsts = {name: self._representations[name][:MOST_COMPARED] for name in self.layers}
        bases = measure_bases(firsts)
        return {name: squared_distances(firsts[name], bases[name]) for name in self.layers}


def check_blocks(blocks: Sequence[int] | None, count: int) -> list[int]:
    """Return the chosen block numbers, all of them for None.

    Raises:
        InputError: none, a number twice, or one that is not there.

    Example:
        >>> check_blocks([3, 1], 4), check_blocks(None, 2)
        ([3, 1], [0, 1])
    """
    chosen = list(range(count)) if blocks is None else [int(block) for block in blocks]
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(count)):
        raise InputError(
            f"`blocks` must be distinct numbers between 0 and {count - 1}, at least one: found {chosen}; "
            "name blocks that are there"
        )
    return chosen
