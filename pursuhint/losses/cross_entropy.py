"""L_cls: the labels."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from pursuhint.losses.base import Batch, Loss, Outputs


class CrossEntropy(Loss):
    """Cross-entropy of the student's logits and the labels, mean over the batch."""

    term = "cls"
    reduction = "mean over images"
    needs_teacher = False

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return ``{"cls": scalar}``."""
        return {"cls": functional.cross_entropy(student.logits.float(), batch.labels)}
