"""The one interface of every loss: ``loss(student, teacher, batch) -> {name: tensor}``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from pursuhint.errors import InputError

Term = Literal["cls", "logit", "hint"]
TERMS: tuple[Term, ...] = ("cls", "logit", "hint")


class Outputs(NamedTuple):
    """What a network put out for a batch.

    Attributes:
        logits: shape (n, classes).
        features: layer name -> output, such as (n, channels, height, width) or (n, tokens, width).
    """

    logits: Tensor
    features: Mapping[str, Tensor] = MappingProxyType({})


class Batch(NamedTuple):
    """One batch as the networks see it.

    Attributes:
        images: float, shape (n, channels, height, width), augmented and normalised.
        labels: int64, shape (n,).
        ids: int64, shape (n,): the images' rows in their data set.
    """

    images: Tensor
    labels: Tensor
    ids: Tensor


class Loss(nn.Module):
    """A part of the training objective.

    A subclass names its `term` (the part of gamma*L_cls + alpha*L_logit + beta*L_hint it belongs to), its
    `reduction` (weights of one code base do not fit another because reductions differ) and what it needs.
    The values it returns are not yet weighted. Called with autocast switched off and float32 inputs.
    """

    term: ClassVar[Term]
    reduction: ClassVar[str]
    needs_teacher: ClassVar[bool] = True
    needs_ids: ClassVar[bool] = False

    def prepare(self, student: Outputs, teacher: Outputs) -> None:
        """Build what depends on the shapes, such as regressors, from one example batch; called once."""

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return the named scalar losses of a batch."""
        raise AssertionError("a loss defines `forward`")


def as_map(features: Tensor, layer: str) -> Tensor:
    """Return features as float32 maps (n, channels, height, width); tokens become their grid, without CLS.

    Raises:
        InputError: the features are neither maps nor a square grid of tokens.

    Example:
        >>> as_map(torch.zeros(2, 17, 8), "blocks.3").shape
        torch.Size([2, 8, 4, 4])
    """
    if features.ndim == 4:
        return features.float()
    if features.ndim == 3:
        for skipped in (0, 1, 2):
            side = round((features.shape[1] - skipped) ** 0.5)
            if side * side == features.shape[1] - skipped:
                tokens = features[:, skipped:].float()
                return tokens.transpose(1, 2).reshape(len(tokens), -1, side, side)
    raise InputError(
        f"layer `{layer}` must put out maps (n, c, h, w) or a square grid of tokens for this hint loss; "
        f"found shape {tuple(features.shape[1:])} for one image; choose another hint point or hint loss"
    )


def to_smaller_grid(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Average-pool two maps to the smaller of their heights and widths.

    Example:
        >>> [t.shape[-1] for t in to_smaller_grid(torch.zeros(1, 2, 8, 8), torch.zeros(1, 3, 4, 4))]
        [4, 4]
    """
    grid = (min(first.shape[2], second.shape[2]), min(first.shape[3], second.shape[3]))
    pool = nn.functional.adaptive_avg_pool2d
    return tuple(t if t.shape[2:] == torch.Size(grid) else pool(t, grid) for t in (first, second))
