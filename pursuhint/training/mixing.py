"""Mixup and CutMix: every image is blended with the one before it in its batch, and so are the labels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

STREAM = 2
"""Word 3 of the counter: views take 0 and the order of an epoch 1, see `pursuhint.augment`."""


class Mixing:
    """Blend the images of a batch; one share and one box a step, fixed by (seed, epoch, step).

    Because the partner of an image is its predecessor in the batch, a part of the batch can be mixed alone
    once the image before it is at hand: parts and processes see what the whole batch would show.

    Args:
        kind: ``mixup`` adds the pixels of two images, ``cutmix`` pastes a box of one into the other.
        alpha: of the Beta(alpha, alpha) distribution of the share; 1 is uniform.
        classes: number of classes.
        seed: of the run.

    Source:
        mixup: Zhang, Cisse, Dauphin and Lopez-Paz (2018), arXiv 1710.09412.
        CutMix: Yun et al. (2019), arXiv 1905.04899.
    """

    def __init__(self, kind: Literal["mixup", "cutmix"], alpha: float, *, classes: int, seed: int) -> None:
        self.kind, self.alpha, self.classes, self.seed = kind, alpha, classes, seed

    def __call__(self, images: Tensor, labels: Tensor, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Mix every image but the first with its predecessor.

        Args:
            images: float, shape (n + 1, channels, height, width).
            labels: int64, shape (n + 1,).
            epoch: counted from 0.
            step: of the epoch, counted from 0.

        Returns:
            The n mixed images, and their labels as probabilities, float32, shape (n, classes).
        """
        generator = np.random.Generator(
            np.random.Philox(key=[self.seed, epoch], counter=[0, 0, step, STREAM])
        )
        share = generator.beta(self.alpha, self.alpha)
        if self.kind == "mixup":
            mixed = share * images[1:] + (1 - share) * images[:-1]
        else:
            top, bottom, left, right = box(share, generator.random(2), *images.shape[-2:])
            mixed = images[1:].clone()
            mixed[..., top:bottom, left:right] = images[:-1, :, top:bottom, left:right]
            share = 1 - (bottom - top) * (right - left) / (images.shape[-2] * images.shape[-1])
        hard = functional.one_hot(labels, self.classes).to(torch.float32)
        return mixed, share * hard[1:] + (1 - share) * hard[:-1]


def box(share: float, centre: np.ndarray, height: int, width: int) -> tuple[int, int, int, int]:
    """Return the box to paste: top, bottom, left, right, cut off at the borders.

    Args:
        share: of the area that stays, 0..1; the box has the images' proportions.
        centre: vertical and horizontal, each in [0, 1).
        height: of the images, in pixels.
        width: of the images, in pixels.

    Example:
        >>> box(0.75, np.array([0.5, 0.0]), 8, 8)
        (2, 6, 0, 2)
    """
    half = 0.5 * (1 - share) ** 0.5
    bounds: list[int] = []
    for place, side in zip(centre, (height, width), strict=True):
        middle, reach = int(place * side), int(half * side)
        bounds += [max(middle - reach, 0), min(middle + reach, side)]
    return tuple(bounds)
