"""CKA as a loss: the two layers arrange the batch's images alike, up to a rotation and a scale."""

from __future__ import annotations

import torch
from torch import Tensor

from pursuhint.losses.pooled_hint import PooledHintLoss
from pursuhint.losses.rows import NOTHING, unit
from pursuhint.pairs import Pair


class CentredKernelAlignment(PooledHintLoss):
    """One minus the linear CKA of the two layers over the batch, per pair.

    A layer is seen as the mean over its positions, which is the target too. Not debiased: the value stays
    within 0 and 1 and has no pole, but layers wider than the batch look more alike than they are.

    Args:
        pairs: hint points and guided layers.

    Source:
        Kornblith et al. (2019), arXiv 1905.00414, linear CKA. A measure there; here it is a loss.
    """

    name = "cka"
    least = 3  # of two centred images each is the other one mirrored: always alike
    reduction = "one number a batch"

    def relate(self, pair: Pair, student: Tensor, teacher: Tensor) -> Tensor:
        """Return 1 - CKA."""
        return 1 - linear_cka(student, teacher)


def linear_cka(first: Tensor, second: Tensor) -> Tensor:
    """Return the linear CKA of two sets of rows; 0 when one of them is constant.

    Args:
        first: shape (n, features).
        second: shape (n, other features).

    Example:
        >>> rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        >>> round(linear_cka(rows, 3 * rows.flip(1) + 1).item(), 6)
        1.0
    """
    # Scaled first: the fourth powers below could overflow, and CKA does not depend on the scale.
    first, second = (unit((x - x.mean(dim=0)).flatten(), dim=0).view_as(x) for x in (first, second))
    sizes = torch.linalg.matrix_norm(first.mT @ first) * torch.linalg.matrix_norm(second.mT @ second)
    return (second.mT @ first).square().sum() / sizes.clamp(min=NOTHING)
