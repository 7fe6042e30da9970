"""Relational distillation: the distances and angles between images are the teacher's."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pursuhint.losses.pooled_hint import PooledHintLoss
from pursuhint.losses.rows import NOTHING, unit
from pursuhint.pairs import Pair

WEIGHT_DISTANCE, WEIGHT_ANGLE = 25, 50


class Relational(PooledHintLoss):
    """Huber loss of the distances and of the angles between the batch's images, per pair.

    Distances are divided by their mean over the pairs that are apart; the angle at image i between j and k
    counts by its cosine. 25 times the mean over pairs plus 50 times the mean over triples. A layer is seen as
    the mean over its positions, which is the target too. Memory grows with the third power of the batch: 67
    MB a side for 256 images.

    Args:
        pairs: hint points and guided layers.

    Source:
        Park et al. (2019), arXiv 1904.05068, RKD-D and RKD-A with the weights 25 and 50 of RepDistiller, and
        with the zeros of the diagonals in the means, as there.
    """

    name = "rkd"
    least = 3  # two images have one distance, which is its own mean, and no angle
    reduction = "25 x mean over pairs of images + 50 x mean over triples"

    def relate(self, pair: Pair, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the weighted sum of the distance part and the angle part."""
        distances, angles = relations(student)
        with torch.no_grad():
            wanted_distances, wanted_angles = relations(teacher)
        return WEIGHT_DISTANCE * functional.smooth_l1_loss(
            distances, wanted_distances
        ) + WEIGHT_ANGLE * functional.smooth_l1_loss(angles, wanted_angles)


def relations(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return relative distances and the cosines of all angles.

    Args:
        rows: shape (n, features).

    Returns:
        Distances over their mean, shape (n, n), and cosines at i between j and k, shape (n, n, n); both are 0
        where images coincide.
    """
    differences = rows[None] - rows[:, None]
    distances = torch.linalg.vector_norm(differences, dim=2)
    apart = (distances > 0).sum().clamp(min=1)
    directions = unit(differences)
    return distances / (distances.sum() / apart).clamp(min=NOTHING), directions @ directions.mT
