"""Attention transfer at the first pairs, contrastive distillation at the last one."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from pursuhint.adapters import loss_of_pair
from pursuhint.losses.at import AttentionTransfer
from pursuhint.losses.base import Batch, Outputs, TrainingImages
from pursuhint.losses.crd import ContrastiveDistillation
from pursuhint.losses.hint import HintLoss
from pursuhint.pairs import Pair


class AttentionThenContrast(HintLoss):
    """`at` for all pairs but the last, `crd` for the last.

    The values are called ``hint:at/<pair>`` and ``hint:crd/<pair>``: two parts, because the two have weights
    of very different size.

    Args:
        pairs: hint points and guided layers in depth order, at least two.

    Raises:
        InputError: a single pair.

    Source:
        ``ATT_crd`` in the code of PURSUhInT (arXiv 2103.00053).
    """

    name = "at+crd"
    reduction = "of at and of crd, each with a weight of its own"
    needs_ids = True
    across_images = True

    def __init__(self, pairs: Sequence[Pair]) -> None:
        super().__init__(pairs)
        count = len(self.pairs)
        self._loss_of = {pair: loss_of_pair(self.name, i, count) for i, pair in enumerate(self.pairs)}
        self.attention = AttentionTransfer(self.pairs[:-1])
        self.contrast = ContrastiveDistillation(self.pairs[-1:])

    def prepare(self, student: Outputs, teacher: Outputs, images: TrainingImages | None = None) -> None:
        """Prepare both parts."""
        super().prepare(student, teacher, images)
        self.attention.prepare(student, teacher, images)
        self.contrast.prepare(student, teacher, images)

    def part(self, pair: Pair) -> str:
        """Return ``hint:at`` or ``hint:crd``."""
        return f"hint:{self._loss_of[pair]}"

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return what the pair's own loss needs."""
        return self._of(pair).target(pair, hint)

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the value of the pair's own loss."""
        return self._of(pair).compare(pair, guided, target, batch)

    def _of(self, pair: Pair) -> HintLoss:
        return self.contrast if self._loss_of[pair] == "crd" else self.attention
