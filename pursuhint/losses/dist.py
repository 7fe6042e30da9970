"""L_logit by correlation: the student ranks classes, and images within a class, as its teacher does."""

from __future__ import annotations

import torch
from torch import Tensor

from pursuhint.losses.base import Batch
from pursuhint.losses.logit import LogitLoss, centre


class CorrelationDistillation(LogitLoss):
    """One minus Pearson's correlation of the softened probabilities, along classes and along images.

    T^2 * (mean over images of 1 - r(classes of an image) + mean over classes of 1 - r(images of a class)).
    The correlation forgives a student whose probabilities are less sharp than its teacher's.

    Args:
        temperature: T, above 0; 4 on CIFAR-100, 1 on ImageNet.

    Source:
        Huang et al. (2022), "Knowledge distillation from a stronger teacher" (DIST), arXiv 2205.10536,
        L_inter and L_intra, both weighted with 1 as in the authors' code. Differs from that
        code where a correlation does not exist because one side is constant, as with a single image: such
        a row counts 0 if it is the teacher's (there is nothing to imitate) and 1, with a gradient towards
        the teacher's row, if it is the student's alone; the code adds 1e-8 to the denominator, which makes
        the former 1 and the gradient of the latter up to 10^8.

    Example:
        >>> from pursuhint.losses import Outputs
        >>> teacher = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
        >>> CorrelationDistillation()(Outputs(teacher), Outputs(teacher), None)["logit"].item()
        0.0
    """

    name = "dist"
    reduction = "mean over images plus mean over classes, times T^2"
    across_images = True

    def compare(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Return the sum of the two mean distances times T squared."""
        p, q = (torch.softmax(logits / self.temperature, dim=1) for logits in (student, teacher))
        between_classes = correlation_distances(p, q).mean()
        within_classes = correlation_distances(p.T, q.T).mean()
        return (between_classes + within_classes) * self.temperature**2


def correlation_distances(student: Tensor, teacher: Tensor) -> Tensor:
    """Return one minus Pearson's correlation, row by row.

    Args:
        student: shape (rows, columns).
        teacher: the same shape.

    Returns:
        shape (rows,), from 0 to 2; 0 where the teacher's row is constant, 1 where only the student's is.

    Example:
        >>> rows = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 1.0, 1.0]])
        >>> correlation_distances(rows, rows[0].expand(3, 3)).round(decimals=4).tolist()
        [0.0, 2.0, 1.0]
        >>> correlation_distances(rows[:1], torch.ones(1, 3)).item()
        0.0
    """
    (a, a_squares, a_varies), (b, b_squares, b_varies) = centre(student), centre(teacher)
    gap = a / a_squares.sqrt() - b / b_squares.sqrt()
    # Half the squared distance of two directions is one minus their cosine, and exactly 0 where they agree; a
    # constant student has no direction, so the half that is its own length is missing.
    distances = (gap.square().sum(dim=1) + (~a_varies).float()) / 2
    return torch.where(b_varies, distances, 0.0)
