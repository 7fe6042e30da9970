"""What a batch that is worked on in parts does not do as a whole one would."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from pursuhint.losses import Loss
from pursuhint.training.distiller import Distiller
from pursuhint.training.settings import RunSettings


def what_differs(distiller: Distiller, settings: RunSettings, processes: int) -> list[str]:
    """Say in words what accumulation or several processes change; nothing for a whole batch.

    Everything that is a mean over images stays as it is: gradients of the parts add up to those of the batch.

    Args:
        distiller: prepared.
        settings: of the run.
        processes: that train together.
    """
    parts = settings.accumulate * processes
    if parts == 1:
        return []
    opening = f"each batch of {settings.batch_size} is worked on in {parts} parts"
    found = []
    if any(isinstance(module, _BatchNorm) for module in distiller.modules()):
        found.append(f"{opening}: batch norm takes its statistics from each part alone")
    across = [_name(loss) for loss in distiller.losses if loss.across_images]
    if across:
        found.append(f"{opening}: {', '.join(across)} compares images within a part only")
    remembering = [_name(loss) for loss in distiller.losses if _remembers(loss)]
    if remembering and processes > 1:
        found.append(f"{opening}: {', '.join(remembering)} remembers the images of the first process only")
    return found


def _name(loss: Loss) -> str:
    return type(loss).__name__


def _remembers(loss: nn.Module) -> bool:
    """Whether a loss keeps something between steps; the statistics of batch norm are spoken of apart."""
    return any(
        True
        for module in loss.modules()
        if not isinstance(module, _BatchNorm)
        for _ in module.buffers(recurse=False)
    )
