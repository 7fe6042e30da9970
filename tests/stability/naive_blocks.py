"""Similarities of parts of the images by the straight way: cut the features, compare again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pursuhint.similarity import similarity_matrix


class NaiveBlocks:
    """Image i is in block i % count; every question is a similarity matrix of the images of its blocks."""

    def __init__(self, representations: Mapping[str, np.ndarray], *, count: int = 20):
        self.representations = dict(representations)
        self.layers = tuple(representations)
        self.count = count
        self.samples = len(next(iter(representations.values())))

    def values(self, metric: str, blocks: Sequence[int] | None = None) -> np.ndarray:
        """Return the (L, L) similarities on the named blocks."""
        chosen = np.isin(
            np.arange(self.samples) % self.count, range(self.count) if blocks is None else blocks
        )
        features = {name: rows[chosen] for name, rows in self.representations.items()}
        return similarity_matrix(features, metric=metric).values


def grouped_features(
    sizes: Sequence[int], *, samples: int, width: int = 4, noise: float = 0.3, seed: int = 0
) -> dict[str, np.ndarray]:
    """Return groups of layers in depth order, each a noisy view of the group's own source.

    Args:
        sizes: number of layers of each group.
        samples: number of images.
        width: features of every layer.
        noise: of a layer beside its source; large noise leaves nothing of the groups.
        seed: of the images; the mixing of each layer is always the same.
    """
    images, mixing = np.random.default_rng(seed), np.random.default_rng(12345)
    features: dict[str, np.ndarray] = {}
    for size in sizes:
        source = images.normal(size=(samples, width))
        for _ in range(size):
            mixed = source @ mixing.normal(size=(width, width))
            features[f"layer{len(features)}"] = mixed + noise * images.normal(size=(samples, width))
    return features
