"""One optimisation step, over all parts of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from pursuhint.losses import Batch, Outputs
from pursuhint.training.weights import contributions
from pursuhint.training.window import step_values

RANK_STRIDE = 1 << 44
"""Between the seeds of two processes: further than the epochs and steps of a run reach."""
SEEDS = 1 << 63
"""How many seeds torch's generators take."""


def seed_step(seed: int, epoch: int, step: int, rank: int) -> None:
    """Seed torch's generators for a step, so that what is drawn in it does not depend on the steps before.

    Args:
        seed: of the run.
        epoch: counted from 0.
        step: of the epoch, counted from 0.
        rank: of the process: each draws numbers of its own.
    """
    torch.manual_seed(((seed * 1_000_003 + epoch) * 1_000_003 + step + rank * RANK_STRIDE) % SEEDS)


def take_step(
    fabric: Fabric,
    module: nn.Module,
    optimizer: Any,
    parts: Iterable[tuple[Batch, Outputs | None]],
    *,
    count: int,
    weights: Mapping[str, float],
    check: Callable[[Mapping[str, Tensor]], None],
) -> dict[str, Tensor]:
    """Change the weights once, along the mean gradient of the parts of a batch.

    Args:
        fabric: of the run; it averages the gradients over the processes, once a step.
        module: the distiller, as `Fabric.setup` returned it.
        optimizer: likewise.
        parts: of the batch, equal in size, each with what the teacher says of it; taken one at a time.
        count: how many there are.
        weights: of the parts of the objective.
        check: is given every part's losses before they are used; raises to stop the step.

    Returns:
        The mean over the parts of their `step_values`.
    """
    optimizer.zero_grad()
    sums: dict[str, Tensor] = {}
    for place, (batch, teacher) in enumerate(parts, start=1):
        with fabric.no_backward_sync(module, enabled=place < count):
            named = module(batch, teacher)
            check(named)
            weighted = contributions(named, weights)
            total = sum(weighted.values())
            fabric.backward(total / count)
        for name, value in step_values(named, weighted, total).items():
            sums[name] = sums.get(name, 0) + value
    optimizer.step()
    return {name: value / count for name, value in sums.items()}
