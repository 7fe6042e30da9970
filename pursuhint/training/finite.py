"""A run stops where its figures stop being numbers, and says which figure it was."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pursuhint.errors import PursuhintError


def check_losses(named: Mapping[str, Tensor], epoch: int, step: int) -> None:
    """Make sure that every loss is finite.

    Args:
        named: scalars by name.
        epoch: counted from 0.
        step: of the epoch, counted from 0.

    Raises:
        PursuhintError: names the first loss that is not.
    """
    for name, value in named.items():
        if not bool(torch.isfinite(value)):
            raise PursuhintError(
                f"the loss `{name}` became {value.item()} in epoch {epoch + 1} at step {step + 1}; the "
                "last good checkpoint, if there is one, is kept: lower the learning rate or this term's "
                "weight"
            )


def check_tensors(module: nn.Module, epoch: int) -> None:
    """Make sure that parameters and buffers are finite; before they are written over good ones.

    A gradient can overflow under losses that are finite, in the last step before a checkpoint too.

    Args:
        module: the student with its losses.
        epoch: counted from 0.

    Raises:
        PursuhintError: names the first tensor that is not.
    """
    for name, value in module.state_dict().items():
        if not bool(torch.isfinite(value).all()):
            raise PursuhintError(
                f"`{name}` is no longer finite in epoch {epoch + 1}, though every loss was: a gradient "
                "overflowed; the last good checkpoint, if there is one, is kept: lower the learning rate or "
                "the weights"
            )
