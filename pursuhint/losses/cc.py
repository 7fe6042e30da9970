"""Correlation congruence: neighbours in a batch are off in different ways."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from pursuhint.adapters import EMBEDDING
from pursuhint.losses.base import Outputs, TrainingImages
from pursuhint.losses.pooled_hint import PooledHintLoss
from pursuhint.pairs import Pair


class CorrelationCongruence(PooledHintLoss):
    """Inner product of the absolute errors of an image and the next one in the batch, per pair.

    Both layers, as the mean over their positions, are embedded in 128 numbers by a linear map each, trained
    with the student; d_i is the absolute difference of the two embeddings of image i, and the loss the mean
    over i of the sum over the numbers of d_i d_(i+1).

    Args:
        pairs: hint points and guided layers.

    Source:
        Peng et al. (2019), arXiv 1904.01802, in the form of RepDistiller, which has it from the authors.
        Differs from the paper, which compares the two layers' kernel matrices.
    """

    name = "cc"
    reduction = "mean over neighbours in the batch, sum over the 128 embedded numbers"

    def __init__(self, pairs: Sequence[Pair]) -> None:
        super().__init__(pairs)
        self.embeddings = nn.ModuleList()

    def prepare(self, student: Outputs, teacher: Outputs, images: TrainingImages | None = None) -> None:
        """Build the two linear maps of every pair."""
        super().prepare(student, teacher, images)
        for pair in self.pairs:
            guided, hint = self.adapters[pair.name].widths
            sides = {"student": nn.Linear(guided, EMBEDDING), "teacher": nn.Linear(hint, EMBEDDING)}
            self.embeddings.append(nn.ModuleDict(sides))

    def relate(self, pair: Pair, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean inner product of neighbouring errors."""
        embed = self.embeddings[self.pairs.index(pair)]
        errors = (embed["student"](student) - embed["teacher"](teacher)).abs()
        return (errors[:-1] * errors[1:]).sum(dim=1).mean()
