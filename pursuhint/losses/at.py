"""Attention transfer: the student looks where the teacher looks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from pursuhint.losses.base import Batch, Loss, Outputs, as_map, to_smaller_grid
from pursuhint.pairs import Pair


class AttentionTransfer(Loss):
    """Mean squared difference of normalised attention maps, per pair.

    The attention map of an image is the mean over channels of the squared activations, flattened and scaled
    to Euclidean length 1; the loss is the mean over images and positions of the squared difference. Needs no
    regressor; the larger map is average-pooled to the smaller grid first.

    Args:
        pairs: hint points and guided layers.

    Source:
        Zagoruyko and Komodakis (2017), arXiv 1612.03928, eq. 2 with p = 2. Differs from the paper in taking
        the mean
        where it sums, as the code in common use does: its usual weight is then 1000, not 1.
    """

    term = "hint"
    reduction = "mean over images and positions"

    def __init__(self, pairs: Sequence[Pair]) -> None:
        super().__init__()
        self.pairs = tuple(pairs)

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return one scalar a pair."""
        losses = {}
        for pair in self.pairs:
            guided = as_map(student.features[pair.guided], pair.guided)
            hint = as_map(teacher.features[pair.hint], pair.hint)
            guided, hint = to_smaller_grid(guided, hint)
            losses[f"hint/{pair.name}"] = (attention(guided) - attention(hint)).square().mean()
        return losses


def attention(maps: Tensor) -> Tensor:
    """Return unit-length attention maps.

    Args:
        maps: shape (n, channels, height, width).

    Returns:
        shape (n, height * width), each row of Euclidean length 1 (0 for an all-zero map).
    """
    return functional.normalize(maps.square().mean(dim=1).flatten(1), dim=1)
