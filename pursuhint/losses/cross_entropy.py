"""L_cls: the labels."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from pursuhint.errors import InputError
from pursuhint.losses.base import Batch, Loss, Outputs, full_precision


class CrossEntropy(Loss):
    """Cross-entropy of the student's logits and the labels (or their probabilities), mean over the batch.

    With label smoothing s the label's class gets the probability 1 - s + s/classes, every other s/classes.

    Args:
        label_smoothing: s, from 0 to below 1.

    Raises:
        InputError: the label smoothing is outside its range.

    Source:
        Smoothing: Szegedy et al. (2016), arXiv 1512.00567, section 7.

    Example:
        >>> import torch
        >>> batch = Batch(torch.zeros(1, 1), torch.tensor([0]), torch.tensor([0]))
        >>> smoothed = CrossEntropy(0.2)(Outputs(torch.tensor([[2.0, 0.0]])), None, batch)
        >>> round(smoothed["cls"].item(), 4)
        0.3269
    """

    term = "cls"
    reduction = "mean over images"
    needs_teacher = False

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise InputError(
                f"`label_smoothing` must be from 0 to below 1; found {label_smoothing}; 0.1 is usual"
            )
        self.label_smoothing = label_smoothing

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return ``{"cls": scalar}``."""
        logits = full_precision(student.logits)
        labels = batch.labels.to(logits.dtype) if batch.labels.ndim == 2 else batch.labels
        return {"cls": functional.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)}
