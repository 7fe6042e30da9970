"""What all logit losses share: a temperature, float32 logits, one value named ``logit``."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from pursuhint.errors import InputError
from pursuhint.losses.base import Batch, Loss, Outputs, full_precision
from pursuhint.training.temperatures import TEMPERATURES

ROUNDING = 1e-6
"""A row that varies by less than this share of its length is constant in float32."""
TINY = 1e-12


class LogitLoss(Loss):
    """L_logit: compares the student's logits with the teacher's.

    A subclass says in `compare` how.

    Args:
        temperature: T, above 0; None takes the paper's (`pursuhint.training.temperatures`).

    Raises:
        InputError: the temperature is not above 0.
    """

    term = "logit"
    name: ClassVar[str]

    def __init__(self, temperature: float | None = None) -> None:
        super().__init__()
        usual = TEMPERATURES[self.name]
        temperature = usual if temperature is None else temperature
        if not temperature > 0:
            raise InputError(
                f"`temperature` must be above 0; found {temperature}; the usual one of `{self.name}` is "
                f"{usual:g}"
            )
        self.temperature = temperature

    def compare(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Return the loss, a scalar, from float32 logits of shape (n, classes)."""
        raise AssertionError("a logit loss defines `compare`")

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return ``{"logit": scalar}``."""
        return {"logit": self.compare(full_precision(student.logits), full_precision(teacher.logits), batch)}


def divergences(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return the KL divergence of the softened classes, image by image.

    sum over classes of p_t * (log p_t - log p_s), where p = softmax(logits / T).

    Args:
        student: logits, shape (n, classes).
        teacher: likewise.
        temperature: T.

    Returns:
        shape (n,), each at least 0 but for rounding; not multiplied by T squared.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
        >>> divergences(logits, logits, 4.0)
        tensor([0., 0.])
    """
    log_student = functional.log_softmax(student / temperature, dim=1)
    log_teacher = functional.log_softmax(teacher / temperature, dim=1)
    return functional.kl_div(log_student, log_teacher, reduction="none", log_target=True).sum(dim=1)


def centre(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows less their means, the sums of their squares, and which of them vary.

    A row that is constant but for rounding has no spread to divide by: its sum of squares is given as 1, so
    that it stays where it is, and its gradient is an ordinary one instead of 1 / 0.

    Args:
        rows: shape (rows, columns).

    Returns:
        Shapes (rows, columns), (rows, 1) and (rows,); the last one bool.

    Example:
        >>> centred, squares, varies = centre(torch.tensor([[1.0, 3.0], [5.0, 5.0]]))
        >>> centred.tolist(), squares.flatten().tolist(), varies.tolist()
        ([[-1.0, 1.0], [0.0, 0.0]], [2.0, 1.0], [True, False])
    """
    centred = rows - rows.mean(dim=1, keepdim=True)
    with torch.no_grad():
        varies = centred.norm(dim=1) > ROUNDING * rows.norm(dim=1) + TINY
    squares = centred.square().sum(dim=1, keepdim=True)
    return centred, torch.where(varies[:, None], squares, 1.0), varies
