"""What a batch that is worked on in parts does not do as a whole one would."""

from __future__ import annotations

from torch.nn.modules.batchnorm import _BatchNorm

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
    for loss in distiller.losses:
        if loss.needs_ids:
            found.append(f"{opening}: `{loss.name}` moves what it remembers after each part")
        elif loss.across_images:
            found.append(f"{opening}: `{loss.name}` compares images within a part only")
    return found
