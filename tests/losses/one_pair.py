"""One pair of layers, and a hint loss on it in one call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pursuhint.losses import Batch, HintLoss, Outputs, TrainingImages
from pursuhint.pairs import Pair

PAIR = Pair("t", "s")


def on_pair(guided: Tensor, hint: Tensor) -> tuple[Outputs, Outputs]:
    """What student and teacher put out when these are the features of the one pair."""
    logits = torch.zeros(len(guided), 3)
    return Outputs(logits, {"s": guided}), Outputs(logits, {"t": hint})


def batch_of(n: int) -> Batch:
    """A batch of the first n images, of three classes by turns."""
    return Batch(torch.zeros(n, 3, 8, 8), torch.arange(n) % 3, torch.arange(n))


def images_of(n: int) -> TrainingImages:
    """The images that `batch_of` takes its batches from."""
    return TrainingImages(torch.arange(n), torch.arange(n) % 3)


def prepared(loss: type[HintLoss], guided: Tensor, hint: Tensor, **options: Any) -> HintLoss:
    """Build a loss for one pair with such features, in a run of at least six images."""
    made = loss([PAIR], **options)
    made.prepare(*on_pair(guided, hint), images_of(max(6, len(guided))))
    return made


def value(loss: HintLoss, guided: Tensor, hint: Tensor) -> Tensor:
    """Return the value of the one pair."""
    named = loss(*on_pair(guided, hint), batch_of(len(guided)))
    assert list(named) == ["hint/t->s"]
    return named["hint/t->s"]


def fresh(loss: type[HintLoss], guided: Tensor, hint: Tensor) -> Tensor:
    """Return the value of a loss that was prepared for these features just now."""
    return value(prepared(loss, guided, hint), guided, hint)
