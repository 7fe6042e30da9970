"""Before the first step: the weights of the terms are settled, and what should be known is said."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from pursuhint.losses import Batch, Outputs
from pursuhint.training.differences import what_differs
from pursuhint.training.notes import start_notes
from pursuhint.training.weights import WEAK, gradient_norms, gradient_shares, settle_weights

if TYPE_CHECKING:
    from pursuhint.training.loop import Trainer


def settle(trainer: Trainer, example: Batch, teacher: Outputs | None) -> None:
    """Settle a trainer's weights from the gradients of its first batch, and record them with what is notable.

    Args:
        trainer: prepared, before its first step; every process calls this.
        example: the first part of the first batch.
        teacher: its outputs for the example.

    Raises:
        PursuhintError: a part has no gradient that could be balanced.
    """
    settings, batches = trainer.settings, trainer.batches
    for text in what_differs(trainer.distiller, settings, trainer.processes.count):
        trainer.record("warning", text=text)
    rest = ((part, trainer.teach(part)) for part in itertools.islice(batches.parts(0, 0), 1, None))
    # In every process: a loss may exchange what it remembers, and one that waits alone waits for ever.
    norms = gradient_norms(trainer.distiller, example, teacher, rest)
    norms = trainer.processes.from_first(lambda: norms)
    trainer.weights = settle_weights(settings.weights, norms)
    shares = gradient_shares(trainer.weights, norms)
    trainer.record(
        "weights",
        weights=trainer.weights,
        norms=norms,
        shares=shares,
        mode=settings.weights.mode,
        preset=settings.weights.preset,
    )
    for text in start_notes(settings, settings.epochs * batches.steps):
        trainer.record("warning", text=text)
    for part, share in shares.items():
        if trainer.weights[part] and share < WEAK:
            trainer.record(
                "warning",
                text=f"L_{part} makes up {share:.2%} of the gradient at the start: it is as good as switched "
                "off; raise its weight or use balanced weights",
            )
