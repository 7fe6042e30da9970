"""L_logit by decoupled knowledge distillation: the label's class apart from all the others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pursuhint.losses.base import Batch
from pursuhint.losses.logit import LogitLoss, divergences


class DecoupledKnowledgeDistillation(LogitLoss):
    """KD split into the label's class against the rest (TCKD) and the classes of that rest (NCKD).

    T^2 * mean over images of alpha * KL(b_t || b_s) + beta * KL(q_t || q_s), where b is the pair of softened
    probabilities (the label's class, all others together) and q the softmax over the other classes alone.
    KD itself is alpha = 1 with beta = 1 - p_t(label): it silences the second part where the teacher is sure.

    Args:
        temperature: T, above 0; 4 on CIFAR-100, 1 on ImageNet.
        alpha: weight of TCKD.
        beta: weight of NCKD; 8 for most pairs of the paper. With two classes NCKD is 0.

    Source:
        Zhao et al. (2022), arXiv 2203.08679. Computed in logarithms throughout, where the authors'
        code takes the logarithm of a probability that can be 0. The authors let the term rise over the first
        20 epochs (`weight_schedule` ``warmup:20``).

    Example:
        >>> from pursuhint.losses import Outputs
        >>> logits, labels = torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0])
        >>> batch = Batch(torch.zeros(1, 1), labels, labels)
        >>> loss = DecoupledKnowledgeDistillation()(Outputs(logits), Outputs(logits), batch)
        >>> round(loss["logit"].item(), 6)
        0.0
    """

    name = "dkd"
    reduction = "sum over classes, mean over images, times T^2"

    def __init__(self, temperature: float | None = None, *, alpha: float = 1.0, beta: float = 8.0) -> None:
        super().__init__(temperature)
        self.alpha, self.beta = alpha, beta

    def compare(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Return the mean of the two weighted divergences times T squared."""
        (target_s, others_s), (target_t, others_t) = (
            split_classes(logits / self.temperature, batch.labels) for logits in (student, teacher)
        )
        # Log-probabilities are logits of themselves, so one divergence serves both parts.
        target_class = divergences(target_s, target_t, 1.0).mean()
        other_classes = divergences(others_s, others_t, 1.0).mean()
        return (self.alpha * target_class + self.beta * other_classes) * self.temperature**2


def split_classes(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the label's class against the rest, and the rest.

    Args:
        logits: already divided by the temperature, shape (n, classes).
        labels: int64, shape (n,).

    Returns:
        Log-probabilities of (the label's class, all others together), shape (n, 2); the logits of the other
        classes in their order, shape (n, classes - 1).

    Example:
        >>> pair, others = split_classes(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([1]))
        >>> round(pair.exp().sum().item(), 4), others.tolist()
        (1.0, [[1.0, 3.0]])
    """
    place = torch.arange(logits.shape[1] - 1, device=logits.device)
    other = place + (place >= labels[:, None])  # indices, not a mask: a GPU need not wait to count them
    others = logits.gather(1, other)
    log_p = functional.log_softmax(logits, dim=1)
    target = log_p.gather(1, labels[:, None])
    rest = log_p.gather(1, other).logsumexp(dim=1, keepdim=True)
    return torch.cat([target, rest], dim=1), others
