"""L_logit by KD on standardised logits: the student need not match the spread of its teacher's logits."""

from __future__ import annotations

from torch import Tensor

from pursuhint.losses.base import Batch
from pursuhint.losses.logit import LogitLoss, centre, divergences


class StandardisedDistillation(LogitLoss):
    """KD on logits that have mean 0 and standard deviation 1 in every image.

    T^2 * mean over images of sum over classes of p_t * (log p_t - log p_s), where p = softmax(z / T) and z is
    the z-score of an image's logits. T is the paper's *base temperature*: what divides the logits is T times
    their standard deviation, for the student and the teacher apart.

    Args:
        temperature: T, above 0; the authors' base temperature is 2 (3 for a few pairs).

    Source:
        Sun et al. (2024), arXiv 2403.01427, algorithm 1, which multiplies the divergence by T^2; the authors'
        multiplier on top, 9 beside 0.1 L_cls, is a weight of L_logit. The standard deviation divides by the
        number of classes; the authors' code divides by one less, as a base temperature larger by
        sqrt(classes / (classes - 1)) does. Logits that are constant count as 0, where that code adds 1e-7 to
        the standard deviation and so makes their gradient up to 10^7.

    Example:
        >>> import torch
        >>> from pursuhint.losses import Outputs
        >>> teacher = torch.tensor([[2.0, 0.0, 1.0]])
        >>> loss = StandardisedDistillation()(Outputs(5 * teacher - 3), Outputs(teacher), None)
        >>> round(loss["logit"].item(), 5)
        0.0
    """

    name = "kd-std"
    reduction = "sum over classes, mean over images, times T^2"

    def compare(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Return the mean divergence of the standardised logits times T squared."""
        z = standardise(student), standardise(teacher)
        return divergences(*z, self.temperature).mean() * self.temperature**2


def standardise(logits: Tensor) -> Tensor:
    """Return the z-score of each row.

    Args:
        logits: shape (n, classes).

    Returns:
        The same shape; each row has mean 0 and standard deviation 1, or is 0 where the logits are constant.

    Example:
        >>> import torch
        >>> standardise(torch.tensor([[0.0, 4.0], [3.0, 3.0]])).round(decimals=4).tolist()
        [[-1.0, 1.0], [0.0, 0.0]]
    """
    centred, squares, _ = centre(logits)
    classes = logits.shape[1]
    return centred / (squares / classes).sqrt()
