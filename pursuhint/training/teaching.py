"""What the teacher says of a batch, asked while the student trains."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric
from torch import nn

from pursuhint.losses import Batch, Outputs
from pursuhint.pairs import Pair
from pursuhint.training.distiller import run_network


class LiveTeacher:
    """The teacher itself, run on every batch.

    Args:
        model: in eval mode, without gradients.
        pairs: their hint points are recorded.
        fabric: for its precision.
    """

    def __init__(self, model: nn.Module, pairs: tuple[Pair, ...], fabric: Fabric) -> None:
        self._model, self._fabric = model, fabric
        self._hints = tuple(dict.fromkeys(pair.hint for pair in pairs))

    @torch.no_grad()
    def __call__(self, batch: Batch) -> Outputs:
        """Return the logits and the outputs of the hint points."""
        with self._fabric.autocast():
            return run_network(self._model, batch.images, self._hints)
