"""L_cls: the labels."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from pursuhint.losses.base import Batch, Loss, Outputs, full_precision


class CrossEntropy(Loss):
    """Cross-entropy of the student's logits and the labels (or their probabilities), mean over the batch."""

    term = "cls"
    reduction = "mean over images"
    needs_teacher = False

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return ``{"cls": scalar}``."""
        logits = full_precision(student.logits)
        labels = batch.labels.to(logits.dtype) if batch.labels.ndim == 2 else batch.labels
        return {"cls": functional.cross_entropy(logits, labels)}
