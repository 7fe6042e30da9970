"""A run stops where its figures stop being numbers, and says which figure it was."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pursuhint.errors import PursuhintError

NEVER = 1 << 62
"""Stands for the step of a loss that was always finite."""


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
            raise _bad_loss(name, str(value.item()), epoch, step)


def _bad_loss(name: str, became: str, epoch: int, step: int) -> PursuhintError:
    return PursuhintError(
        f"the loss `{name}` became {became} in epoch {epoch + 1} at step {step + 1}; the last good "
        "checkpoint, if there is one, is kept: lower the learning rate or this term's weight"
    )


class FirstNotFinite:
    """Remembers the first step in which each loss was no number, on the losses' own device.

    On a GPU reading a value waits for all work before it, and once the means of some steps are read, a single
    bad loss has made all others bad as well.
    """

    def __init__(self) -> None:
        self._steps: dict[str, Tensor] = {}

    def note(self, named: Mapping[str, Tensor], step: int) -> None:
        """Look at the losses of a step, counted from 0, without reading a value."""
        for name, value in named.items():
            here = torch.where(torch.isfinite(value.detach()), NEVER, step)
            self._steps[name] = torch.minimum(self._steps.get(name, here), here)

    def check(self, epoch: int) -> None:
        """Raise PursuhintError with the loss that was bad first and its step; begin anew when none was."""
        first = {name: int(step) for name, step in self._steps.items()}
        self._steps = {}
        if first and min(first.values()) < NEVER:
            name = min(first, key=first.__getitem__)
            raise _bad_loss(name, "infinite or no number", epoch, first[name])


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
