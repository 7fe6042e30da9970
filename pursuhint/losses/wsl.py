"""L_logit by weighted soft labels: KD that counts most where the student lags behind its teacher."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pursuhint.losses.base import Batch
from pursuhint.losses.logit import LogitLoss, divergences

EPSILON = 1e-7
"""Added to the teacher's cross-entropy, as in the authors' code: it can be 0."""


class WeightedSoftLabels(LogitLoss):
    """KD with a weight for each image, 1 - exp(-CE_s / CE_t), that no gradient flows through.

    T^2 * mean over images of w * sum over classes of p_t * (log p_t - log p_s), where p = softmax(logits / T)
    and CE_s, CE_t are the cross-entropies of student and teacher with the label at temperature 1. An image
    that the student knows better than its teacher hardly counts.

    Args:
        temperature: T, above 0; the authors' code for ImageNet takes 2, with a weight of 2.5.

    Source:
        Zhou et al. (2021), arXiv 2102.00650, the loss L_wsl. Differs from the authors' code in the
        divergence where that has the cross-entropy (the same gradient, and 0 for a student equal to its
        teacher) and in taking the number of classes from the logits.

    Example:
        >>> from pursuhint.losses import Outputs
        >>> loss, labels = WeightedSoftLabels(1.0), torch.tensor([0])
        >>> student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]])
        >>> named = loss(Outputs(student), Outputs(teacher), Batch(torch.zeros(1, 1), labels, labels))
        >>> round(named["logit"].item(), 4)
        0.3264
    """

    name = "wsl"
    reduction = "sum over classes, weighted mean over images, times T^2"

    def compare(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Return the mean weighted divergence times T squared."""
        weights = image_weights(student, teacher, batch.labels)
        return (weights * divergences(student, teacher, self.temperature)).mean() * self.temperature**2


@torch.no_grad()
def image_weights(student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
    """Return how much each image counts, 1 - exp(-CE_s / CE_t).

    Args:
        student: logits, shape (n, classes).
        teacher: likewise.
        labels: int64, shape (n,).

    Returns:
        shape (n,), from 0 (the student is certain of the label) to 1 (only the teacher is).

    Example:
        >>> same = torch.zeros(1, 5)
        >>> image_weights(same, same, torch.tensor([2])).item() == 1 - torch.tensor(-1.0).exp()
        tensor(True)
    """
    lag = functional.cross_entropy(student, labels, reduction="none")
    lead = functional.cross_entropy(teacher, labels, reduction="none")
    return -torch.expm1(-lag / (lead + EPSILON))
