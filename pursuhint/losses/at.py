"""Attention transfer: the student looks where the teacher looks."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from pursuhint.losses.base import (
    Batch,
    Outputs,
    TrainingImages,
    as_map,
    full_precision,
    smaller_grid,
    to_grid,
)
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
        Zagoruyko and Komodakis (2017), arXiv 1612.03928, eq. 2 with p = 2. Differs from the paper in taking
        the mean where it sums, as the code in common use does: its usual weight is then 1000, not 1.
    """

    reduction = "mean over images and positions"

    def prepare(self, student: Outputs, teacher: Outputs, images: TrainingImages | None = None) -> None:
        """Note the grid on which the two layers of each pair meet."""
        self.grids = {
            pair.name: smaller_grid(
                as_map(student.features[pair.guided], pair.guided),
                as_map(teacher.features[pair.hint], pair.hint),
            )
            for pair in self.pairs
        }

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return the attention maps of the hint point, shape (n, height * width)."""
        return attention(to_grid(as_map(hint, pair.hint), self.grids[pair.name]))

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared difference of the attention maps."""
        maps = to_grid(as_map(guided, pair.guided), self.grids[pair.name])
        return (attention(maps) - full_precision(target)).square().mean()


def attention(maps: Tensor) -> Tensor:
    """Return unit-length attention maps.

    Args:
        maps: shape (n, channels, height, width).

    Returns:
        shape (n, height * width), each row of Euclidean length 1 (0 for an all-zero map).
    """
    return functional.normalize(maps.square().mean(dim=1).flatten(1), dim=1)
