"""A run stops where its figures stop being numbers, and says which figure it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pursuhint.errors import PursuhintError
from pursuhint.training.window import TOTAL, WEIGHTED

KEPT = "the last good checkpoint, if there is one, is kept: lower the learning rate"
NEVER = 1 << 62
"""Stands for the step of a loss that was always finite."""


def check_losses(named: Mapping[str, Tensor], epoch: int, step: int, *, before: Mapping[str, Tensor]) -> None:
    """Make sure that every loss is finite.

    Args:
        named: scalars by name.
        epoch: counted from 0.
        step: of the epoch, counted from 0.
        before: the `step_values` of the last step that was good, or their means over some; none at the start.

    Raises:
        PursuhintError: names the losses that are not.
    """
    bad = [name for name, value in named.items() if not bool(torch.isfinite(value))]
    if bad:
        raise _bad_losses(bad, str(named[bad[0]].item()), epoch, step, before)


def _bad_losses(
    names: Sequence[str], became: str, epoch: int, step: int, before: Mapping[str, Tensor]
) -> PursuhintError:
    """Return what to tell of losses that turned bad in the same step; several did so through the student."""
    losses = [name for name in names if name != TOTAL and not name.startswith(WEIGHTED)] or names[:1]
    where = f"became {became} in epoch {epoch + 1} at step {step + 1}"
    if len(losses) == 1:
        name = losses[0].removeprefix(WEIGHTED)
        return PursuhintError(f"the loss `{name}` {where}; {KEPT} or this term's weight")
    listed = ", ".join(f"`{name}`" for name in losses)
    return diverged(f"the losses {listed} {where} at once: the step before led the weights astray", before)


def diverged(seen: str, before: Mapping[str, Tensor]) -> PursuhintError:
    """Return the error of a run whose student has weights that are of no use any more.

    Args:
        seen: what shows it.
        before: as of `check_losses`; the largest term in them is named as what to lower.
    """
    parts = {name: abs(float(value)) for name, value in before.items() if name.startswith(WEIGHTED)}
    if not parts:
        return PursuhintError(f"{seen}; {KEPT} or the weights")
    largest = max(parts, key=parts.__getitem__)
    share = parts[largest] / max(sum(parts.values()), 1e-30)
    name = largest.removeprefix(WEIGHTED)
    return PursuhintError(f"{seen}; {KEPT}, or the weight of `{name}`, {share:.0%} of the total before")


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

    def check(self, epoch: int, *, before: Mapping[str, Tensor]) -> None:
        """Raise PursuhintError with the losses that were bad first and the step; begin anew when none was.

        Args:
            epoch: counted from 0.
            before: as of `check_losses`.
        """
        first = {name: int(step) for name, step in self._steps.items()}
        self._steps = {}
        if first and (begun := min(first.values())) < NEVER:
            names = [name for name, step in first.items() if step == begun]
            raise _bad_losses(names, "infinite or no number", epoch, begun, before)


def check_tensors(module: nn.Module, epoch: int, *, before: Mapping[str, Tensor]) -> None:
    """Make sure that parameters and buffers are finite; before they are written over good ones.

    A gradient can overflow under losses that are finite, in the last step before a checkpoint too.

    Args:
        module: the student with its losses.
        epoch: counted from 0.
        before: as of `check_losses`.

    Raises:
        PursuhintError: names the first tensor that is not.
    """
    for name, value in module.state_dict().items():
        if not bool(torch.isfinite(value).all()):
            raise diverged(
                f"`{name}` is no longer finite in epoch {epoch + 1}, though every loss was: a gradient "
                "overflowed",
                before,
            )
