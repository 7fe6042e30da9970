"""The one interface of every loss: ``loss(student, teacher, batch) -> {name: tensor}``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from pursuhint.adapters import token_grid
from pursuhint.errors import InputError

Term = Literal["cls", "logit", "hint"]
TERMS: tuple[Term, ...] = ("cls", "logit", "hint")


class Outputs(NamedTuple):
    """What a network put out for a batch.

    Attributes:
        logits: shape (n, classes).
        features: layer name -> output, such as (n, channels, height, width) or (n, tokens, width).
        targets: of a teacher only: pair name -> what the hint loss needs of its hint point, when that was
            worked out (and perhaps kept) before; see `pursuhint.losses.hint.HintLoss.targets`.
    """

    logits: Tensor
    features: Mapping[str, Tensor] = MappingProxyType({})
    targets: Mapping[str, Tensor] = MappingProxyType({})


class Batch(NamedTuple):
    """One batch as the networks see it.

    Attributes:
        images: float, shape (n, channels, height, width), augmented and normalised.
        labels: int64, shape (n,); of mixed images probabilities, float, shape (n, classes).
        ids: int64, shape (n,): the images' rows in their data set.
    """

    images: Tensor
    labels: Tensor
    ids: Tensor


class TrainingImages(NamedTuple):
    """The images of a run, for losses that remember each of them.

    Attributes:
        ids: int64, shape (n,): the images' rows in their data set; `Batch.ids` holds some of these.
        labels: int64, shape (n,).
    """

    ids: Tensor
    labels: Tensor


class Loss(nn.Module):
    """A part of the training objective.

    A subclass names its `term` (the part of gamma*L_cls + alpha*L_logit + beta*L_hint it belongs to), its
    `reduction` (weights of one code base do not fit another because reductions differ), what it needs, and
    whether it looks across the images of a batch.
    The values it returns are not yet weighted. Called with autocast switched off.
    """

    term: ClassVar[Term]
    reduction: ClassVar[str]
    needs_teacher: ClassVar[bool] = True
    needs_ids: ClassVar[bool] = False
    across_images: ClassVar[bool] = False
    """Whether an image's part of the value depends on the batch's other images, and so on how it is cut."""

    def prepare(self, student: Outputs, teacher: Outputs, images: TrainingImages | None = None) -> None:
        """Build what depends on shapes or images, such as regressors, from one example batch; called once.

        Args:
            student: its outputs for the example batch.
            teacher: the same of the teacher.
            images: those of the whole run; a loss that `needs_ids` cannot do without.
        """

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return the named scalar losses of a batch."""
        raise AssertionError("a loss defines `forward`")


def full_precision(values: Tensor) -> Tensor:
    """Return values as float32, in which losses are computed, or as float64 when that is what they are.

    Example:
        >>> full_precision(torch.zeros(1, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return values if values.dtype == torch.float64 else values.float()


def as_map(features: Tensor, layer: str) -> Tensor:
    """Return features as float32 maps (n, channels, height, width); tokens become their grid, without CLS.

    Features in double precision keep it, see `full_precision`.

    Raises:
        InputError: the features are neither maps nor a square grid of tokens.

    Example:
        >>> as_map(torch.zeros(2, 17, 8), "blocks.3").shape
        torch.Size([2, 8, 4, 4])
    """
    if features.ndim == 4:
        return full_precision(features)
    if features.ndim == 3:
        found = token_grid(features.shape[1])
        if found:
            skipped, side = found
            return full_precision(features[:, skipped:]).transpose(1, 2).unflatten(2, (side, side))
    raise InputError(
        f"layer `{layer}` must put out maps (n, c, h, w) or a square grid of tokens for this hint loss; "
        f"found shape {tuple(features.shape[1:])} for one image; choose another hint point or hint loss"
    )


def to_grid(maps: Tensor, grid: tuple[int, int]) -> Tensor:
    """Average-pool maps (n, channels, height, width) to a grid; maps that have it are returned as they are.

    Example:
        >>> to_grid(torch.ones(1, 2, 8, 8), (4, 4)).shape
        torch.Size([1, 2, 4, 4])
    """
    return maps if maps.shape[2:] == torch.Size(grid) else nn.functional.adaptive_avg_pool2d(maps, grid)
