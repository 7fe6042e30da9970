"""Attention transfer: the student looks where the teacher looks."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from pursuhint.losses.adapters import meet
from pursuhint.losses.base import Batch, full_precision
from pursuhint.losses.hint import HintLoss
from pursuhint.pairs import Pair


class AttentionTransfer(HintLoss):
    """Mean squared difference of normalised attention maps, per pair.

    The attention map of an image is the mean over channels of the squared activations, flattened and scaled
    to Euclidean length 1; the loss is the mean over images and positions of the squared difference. Needs no
    regressor; the larger map is average-pooled to the smaller grid first. The target of an image is its
    attention map: one number a position.

    Args:
        pairs: hint points and guided layers.

    Source:
        Zagoruyko and Komodakis (2017), arXiv 1612.03928, activation-based with p = 2. Differs from the
        paper in taking the mean where it sums, as the code in common use does: its usual weight is then 1000,
        not 1.
    """

    name = "at"
    reduction = "mean over images and positions"

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return the attention maps of the hint point, shape (n, height * width)."""
        return attention(meet(hint, self.adapters[pair.name], pair.hint))

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared difference of the attention maps."""
        maps = meet(guided, self.adapters[pair.name], pair.guided)
        return (attention(maps) - full_precision(target)).square().mean()


def attention(maps: Tensor) -> Tensor:
    """Return unit-length attention maps.

    Args:
        maps: shape (n, channels, height, width).

    Returns:
        shape (n, height * width), each row of Euclidean length 1 (0 for an all-zero map).
    """
    return functional.normalize(maps.square().mean(dim=1).flatten(1), dim=1)
