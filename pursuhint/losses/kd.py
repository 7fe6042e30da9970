"""L_logit by knowledge distillation: the teacher's softened class probabilities."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from pursuhint.errors import InputError
from pursuhint.losses.base import Batch, Loss, Outputs, full_precision


class KnowledgeDistillation(Loss):
    """KL divergence from the teacher's to the student's probabilities at temperature T, times T squared.

    T^2 * mean over images of sum over classes of p_t * (log p_t - log p_s), where p = softmax(logits / T).

    Args:
        temperature: T, above 0; 4 in the paper's example.

    Raises:
        InputError: the temperature is not above 0.

    Source:
        Hinton, Vinyals and Dean (2015), arXiv 1503.02531, section 2.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0]])
        >>> loss = KnowledgeDistillation()(Outputs(logits), Outputs(logits), None)
        >>> round(loss["logit"].item(), 6)
        0.0
    """

    term = "logit"
    reduction = "batchmean, times T^2"

    def __init__(self, temperature: float = 4.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise InputError(f"`temperature` must be above 0; found {temperature}; the paper uses 4")
        self.temperature = temperature

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return ``{"logit": scalar}``."""
        log_student = functional.log_softmax(full_precision(student.logits) / self.temperature, dim=1)
        log_teacher = functional.log_softmax(full_precision(teacher.logits) / self.temperature, dim=1)
        divergence = functional.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True)
        return {"logit": divergence * self.temperature**2}
