"""What a run must remember to go on as if it had never been interrupted, and how it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pursuhint.errors import PursuhintError
from pursuhint.training.checkpoint import Checkpoint
from pursuhint.training.window import Window

if TYPE_CHECKING:
    from pursuhint.training.loop import Trainer


@dataclass(frozen=True)
class Standing:
    """Where a run is: the epoch to go on with, counted from 0, and the batches of it that are done."""

    epoch: int = 0
    step: int = 0


def capture(trainer: Trainer) -> Checkpoint:
    """Return where a trainer stands; called in every process, since they add up what they have seen."""
    return Checkpoint(
        epoch=trainer.standing.epoch,
        step=trainer.standing.step,
        distiller=trainer.distiller.state_dict(),
        optimizer=trainer.optimizer.state_dict(),
        weights=dict(trainer.weights),
        best_accuracy=trainer.selection.best_accuracy,
        best_epoch=trainer.selection.best_epoch,
        best=trainer.selection.best,
        threads=trainer.threads,
        window=trainer.processes.mean(trainer.window.sums),
        window_steps=trainer.window.count,
        processes=trainer.processes.count,
        average=trainer.average.state_dict() if trainer.average is not None else {},
        scaler=trainer.fabric.strategy.precision.state_dict(),
        views=trainer.views,
    )


def restore(trainer: Trainer, checkpoint: Checkpoint, damaged: list[str]) -> None:
    """Put a trainer where a checkpoint stands, and record what may make a difference.

    Args:
        trainer: with its optimiser.
        checkpoint: from `pursuhint.training.checkpoint.latest_checkpoint`.
        damaged: names of newer checkpoints that cannot be read.

    Raises:
        PursuhintError: targets were kept until here and cannot be kept now, or the other way round.
    """
    if checkpoint.views != trainer.views:
        raise PursuhintError(
            f"the run showed {_views(checkpoint.views)} until here and would go on with "
            f"{_views(trainer.views)}, which is another training; see the last warning, put right what it "
            "says and resume again, or start the run anew"
        )
    trainer.distiller.load_state_dict(checkpoint.distiller)
    trainer.optimizer.load_state_dict(checkpoint.optimizer)
    if trainer.average is not None:
        trainer.average.load_state_dict(checkpoint.average)
    trainer.fabric.strategy.precision.load_state_dict(checkpoint.scaler)
    trainer.weights = dict(checkpoint.weights)
    trainer.standing = Standing(checkpoint.epoch, checkpoint.step)
    trainer.selection.best_accuracy = checkpoint.best_accuracy
    trainer.selection.best_epoch, trainer.selection.best = checkpoint.best_epoch, checkpoint.best
    sums = {name: value.to(trainer.fabric.device) for name, value in checkpoint.window.items()}
    trainer.window = Window(sums, checkpoint.window_steps)
    for name in damaged:
        trainer.record("warning", text=f"checkpoint `{name}` cannot be read; going on from the one before it")
    for what, before, now in (
        ("threads", checkpoint.threads, trainer.threads),
        ("processes", checkpoint.processes, trainer.processes.count),
    ):
        if before != now:
            trainer.record(
                "warning",
                text=f"the run used {before} {what} until here and goes on with {now}; its figures can "
                "differ in the last digits from an uninterrupted run",
            )
    trainer.record("resume", epoch=checkpoint.epoch, step=checkpoint.step)


def _views(views: int) -> str:
    return f"{views} kept views of each image" if views else "a new view every epoch"
