"""What the teacher says of a batch: asked while the student trains, or kept from the last time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from pursuhint.folding import fast_copy
from pursuhint.losses import Batch, Outputs
from pursuhint.pairs import Pair
from pursuhint.training.compiling import Compiler
from pursuhint.training.distiller import run_network
from pursuhint.training.kept_targets import KeptTargets
from pursuhint.training.target_size import LOGITS

N_COMPARED = 16
"""Images on which the faster teacher is compared with the one it stands for."""


class Teaching(Protocol):
    """A teacher as the training loop sees it."""

    def __call__(self, batch: Batch, view: int) -> Outputs:
        """Return what the teacher says of a batch whose images are in their view of this number."""


class LiveTeacher:
    """The teacher itself, run on every batch in a faster form (`pursuhint.folding.fast_copy`).

    Args:
        model: in eval mode, without gradients; not changed.
        pairs: their hint points are recorded.
        fabric: for its precision.
        compiler: compiles the faster form; None leaves it.
    """

    def __init__(
        self, model: nn.Module, pairs: tuple[Pair, ...], fabric: Fabric, compiler: Compiler | None = None
    ) -> None:
        self._model, self._fabric, self._compiler = model, fabric, compiler
        self._compiled: AbstractContextManager = nullcontext()
        self._hints = tuple(dict.fromkeys(pair.hint for pair in pairs))
        self._faster: nn.Module | None = None

    @torch.no_grad()
    def __call__(self, batch: Batch, view: int) -> Outputs:
        """Return the logits and the outputs of the hint points."""
        if self._faster is None:
            self._faster = fast_copy(self._model, batch.images[:N_COMPARED], self._hints)
            if self._compiler:
                self._compiled = self._compiler.compile(
                    self._faster,
                    batch.images.shape[1:],
                    self._hints,
                    lambda compiled: self._run(compiled, batch),
                )
        return self._run(self._compiled, batch)

    def _run(self, compiled: AbstractContextManager, batch: Batch) -> Outputs:
        with compiled, self._fabric.autocast():
            return run_network(self._faster, batch.images, self._hints)


class KeepingTeacher:
    """A teacher that is asked about each view of an image once.

    Also the first time, the student is given what was read back, rounded to half precision: a run that finds
    the targets of an earlier one, or resumes, has the history of a run that finds none.

    Args:
        live: is asked for what is not kept.
        targets: what the hint loss needs of the teacher's outputs, see `pursuhint.losses.HintLoss.targets`.
        kept: where its answers go.
    """

    def __init__(
        self, live: Teaching, targets: Callable[[Outputs], Mapping[str, Tensor]], kept: KeptTargets
    ) -> None:
        self.kept = kept
        self._live, self._targets = live, targets

    @torch.no_grad()
    def __call__(self, batch: Batch, view: int) -> Outputs:
        """Return the logits and the targets."""
        missing = self.kept.missing(view, batch.ids)
        if missing.any():
            rows = torch.from_numpy(np.flatnonzero(missing)).to(batch.ids.device)
            asked = batch if missing.all() else Batch(*(values[rows] for values in batch))
            self.kept.write(view, asked.ids, rows_of(self._live(asked, view), self._targets))
        found = self.kept.read(view, batch.ids)
        logits = found.pop(LOGITS)
        return Outputs(logits, targets=found)


def rows_of(teacher: Outputs, targets: Callable[[Outputs], Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return what is kept of the teacher's outputs: the logits and the targets, by name."""
    with torch.autocast(teacher.logits.device.type, enabled=False):
        return {LOGITS: teacher.logits, **targets(teacher)}
