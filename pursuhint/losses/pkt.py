"""Probabilistic knowledge transfer: who is near to whom, as probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from pursuhint.losses.pooled_hint import PooledHintLoss
from pursuhint.losses.rows import unit
from pursuhint.pairs import Pair

TINY = 1e-7


class ProbabilisticTransfer(PooledHintLoss):
    """Divergence between the neighbourhoods of the batch's images, per pair.

    The cosine similarity of two images, moved to 0..1, is divided by its sum over all images of the batch;
    the loss is the mean over pairs of images of p log(p / q), p being the teacher's. A layer is seen as the
    mean over its positions, which is the target too.

    Args:
        pairs: hint points and guided layers.

    Source:
        Passalis and Tefas (2018), arXiv 1803.10837, with the cosine kernel. Differs from the paper in taking
        the mean over pairs where it sums, as the authors' code does.
    """

    name = "pkt"
    reduction = "mean over pairs of images"

    def relate(self, pair: Pair, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean divergence of the neighbourhoods."""
        guided, hint = neighbourhoods(student), neighbourhoods(teacher)
        return (hint * torch.log((hint + TINY) / (guided + TINY))).mean()


def neighbourhoods(rows: Tensor) -> Tensor:
    """Return how near each image is to each, as probabilities.

    Args:
        rows: shape (n, features).

    Returns:
        shape (n, n); every row sums to 1.
    """
    directions = unit(rows)
    nearness = (directions @ directions.T + 1) / 2
    return nearness / nearness.sum(dim=1, keepdim=True)
