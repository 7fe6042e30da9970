"""Rows: one vector an image, for losses that compare images with each other."""

from __future__ import annotations

import torch
from torch import Tensor

from pursuhint.errors import InputError
from pursuhint.losses.base import full_precision

NOTHING = 1e-12
"""Length below which a vector counts as zero: it has no direction."""


def pooled_rows(features: Tensor) -> Tensor:
    """Return the mean over positions (or tokens) in float32, shape (n, channels); vectors stay as they are.

    Example:
        >>> pooled_rows(torch.ones(2, 8, 4, 4)).shape, pooled_rows(torch.ones(2, 17, 6)).shape
        (torch.Size([2, 8]), torch.Size([2, 6]))
    """
    if features.ndim == 2:
        return full_precision(features)
    positions = (1,) if features.ndim == 3 else tuple(range(2, features.ndim))
    return full_precision(features).mean(dim=positions)


def unit(values: Tensor, *, dim: int = -1) -> Tensor:
    """Scale vectors to Euclidean length 1; a zero vector stays zero and gets no gradient.

    `torch.nn.functional.normalize` gives a zero vector a gradient 1e12 times too large: one image or channel
    that is dead at the start would throw the student away.

    Args:
        values: any shape.
        dim: along which the vectors lie.

    Example:
        >>> unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
    """
    lengths = torch.linalg.vector_norm(values, dim=dim, keepdim=True)
    alive = lengths > NOTHING
    return torch.where(alive, values / torch.where(alive, lengths, 1.0), 0.0)


def require_several(rows: Tensor, loss: str, *, least: int = 2) -> None:
    """Refuse a batch of too few images, in which there is nothing to compare.

    Raises:
        InputError: fewer rows than `least`.
    """
    if len(rows) < least:
        raise InputError(
            f"the hint loss `{loss}` compares the images of a batch with each other and needs at least "
            f"{least}; found {len(rows)}; take a larger batch, or accumulate over fewer parts"
        )
