"""L_logit by knowledge distillation: the teacher's softened class probabilities."""

from __future__ import annotations

from torch import Tensor

from pursuhint.losses.base import Batch
from pursuhint.losses.logit import LogitLoss, divergences


class KnowledgeDistillation(LogitLoss):
    """KL divergence from the teacher's to the student's probabilities at temperature T, times T squared.

    T^2 * mean over images of sum over classes of p_t * (log p_t - log p_s), where p = softmax(logits / T).

    Args:
        temperature: T, above 0; 4 in the paper's example.

    Source:
        Hinton, Vinyals and Dean (2015), arXiv 1503.02531.

    Example:
        >>> import torch
        >>> from pursuhint.losses import Outputs
        >>> logits = torch.tensor([[2.0, 0.0]])
        >>> loss = KnowledgeDistillation()(Outputs(logits), Outputs(logits), None)
        >>> round(loss["logit"].item(), 6)
        0.0
    """

    name = "kd"
    reduction = "sum over classes, mean over images, times T^2"

    def compare(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Return the mean divergence times T squared."""
        return divergences(student, teacher, self.temperature).mean() * self.temperature**2
