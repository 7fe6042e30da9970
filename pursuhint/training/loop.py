"""The training loop, on Lightning Fabric: one for teachers, students alone and distillation."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from pursuhint.data.images import choose_images
from pursuhint.device import bfloat16_pays, choose_device, prepare_cpu
from pursuhint.errors import InputError, PursuhintError, StopRequested
from pursuhint.files import in_bytes
from pursuhint.losses import Batch, Outputs, Term
from pursuhint.progress import Progress, silent
from pursuhint.teacher import score
from pursuhint.training.batches import Batches
from pursuhint.training.checkpoint import Checkpoint, latest_checkpoint, save_checkpoint, save_tensors
from pursuhint.training.prepare import Parts, build_distiller
from pursuhint.training.schedule import learning_rate
from pursuhint.training.settings import RunSettings
from pursuhint.training.target_cache import keep_targets
from pursuhint.training.teaching import KeepingTeacher, LiveTeacher, Teaching
from pursuhint.training.weights import WEAK, gradient_norms, gradient_shares, settle_weights, weighted_total
from pursuhint.training.window import Window, step_entry

Record = Callable[..., None]
"""Called as ``record(kind, **fields)`` with plain values; a run's journal is one."""
LOGGED_PER_EPOCH = 20
BEST = "best.pt"


class Stopped(StopRequested):
    """The run was asked to stop; its checkpoint is written."""


@dataclass
class _Standing:
    """Where a run is."""

    epoch: int = 0
    step: int = 0
    best_accuracy: float = -1.0
    best_epoch: int = -1


class Trainer:
    """Train a student as its settings say.

    Args:
        settings: of the run.
        parts: from `pursuhint.training.prepare.load_parts`.
        folder: where checkpoints are kept.
        record: receives every event of the run.
        should_stop: asked before every step; True ends the run with a checkpoint.
        progress: is told after every epoch.
    """

    def __init__(
        self,
        settings: RunSettings,
        parts: Parts,
        *,
        folder: Path,
        record: Record,
        should_stop: Callable[[], bool] = lambda: False,
        progress: Progress = silent,
    ) -> None:
        self.settings, self.parts, self.folder = settings, parts, folder
        self.record, self.should_stop, self.progress = record, should_stop, progress
        self.threads = prepare_cpu(settings.threads)
        device = choose_device(settings.device)
        if settings.precision == "16-mixed" and device.type == "cpu":
            raise InputError("`precision` 16-mixed needs a GPU; use bf16-mixed or 32-true on a CPU")
        self.fabric = Fabric(
            accelerator=device.type,
            devices=[device.index or 0] if device.type != "cpu" else 1,
            precision=settings.precision,
        )
        train = parts.data.train
        if settings.limit is not None:
            train = choose_images(train, settings.limit, option="limit")
        self.batches = Batches(
            train,
            parts.preprocess,
            augmentation=parts.augmentation,
            batch_size=settings.batch_size,
            seed=settings.seed,
            device=self.fabric.device,
        )
        self.distiller = build_distiller(settings, parts).to(self.fabric.device)
        self.standing = _Standing()
        self.window = Window()
        self.weights: dict[Term, float] = {}
        taught = parts.teacher is not None and any(loss.needs_teacher for loss in self.distiller.losses)
        self._teacher: Teaching | None = None
        if taught:
            self._teacher = LiveTeacher(parts.teacher.model, parts.pairs, self.fabric)

    # -- before the first step -------------------------------------------------------------------------------

    def start(self) -> None:
        """Build regressors and optimiser, then go on from the latest checkpoint or settle the weights."""
        if self.settings.precision == "bf16-mixed" and not bfloat16_pays(self.fabric.device):
            self.record(
                "warning",
                text=f"this {self.fabric.device.type} has no arithmetic for bfloat16, so bf16-mixed can be "
                "many times slower than 32-true here",
            )
        example = next(self.batches.epoch(0))
        teacher = self.teach(example)
        torch.manual_seed(self.settings.seed)
        self.distiller.prepare(example, teacher, self.batches.images)
        self.distiller.to(self.fabric.device, memory_format=torch.channels_last).train()
        if self.settings.keep_targets:
            teacher = self._keep_targets(example)
        optimizer = torch.optim.SGD(
            self.distiller.parameters(),
            lr=self.settings.learning_rate,
            momentum=self.settings.momentum,
            weight_decay=self.settings.weight_decay,
            fused=self.fabric.device.type in ("cpu", "cuda"),
        )
        found = latest_checkpoint(self.folder)
        if found is None:
            self._settle(example, teacher)
        self.module, self.optimizer = self.fabric.setup(self.distiller, optimizer)
        if found is not None:
            self._restore(*found)

    def _keep_targets(self, example: Batch) -> Outputs:
        """Keep what the teacher says, if it fits; returns what it says of the example."""
        keeping = keep_targets(
            self._teacher,
            example,
            self.settings,
            self.parts,
            losses=self.distiller.losses,
            ids=self.batches.images.ids.numpy(),
            warn=lambda text: self.record("warning", text=text),
        )
        if keeping is not None:
            self._teacher, kept = keeping, keeping.kept
            everything = kept.views * len(self.batches.images.ids)
            self.record("targets", bytes=kept.bytes, views=kept.views, share_kept=len(kept) / everything)
            self.progress(f"keeping {in_bytes(kept.bytes)} of targets", len(kept), everything)
        return self.teach(example)

    def _settle(self, example: Batch, teacher: Outputs | None) -> None:
        norms = gradient_norms(self.distiller, example, teacher)
        self.weights = settle_weights(self.settings.weights, norms)
        shares = gradient_shares(self.weights, norms)
        self.record(
            "weights", weights=self.weights, norms=norms, shares=shares, mode=self.settings.weights.mode
        )
        for term, share in shares.items():
            if self.weights[term] and share < WEAK:
                self.record(
                    "warning",
                    text=f"L_{term} makes up {share:.2%} of the gradient at the start: it is as good as "
                    "switched off; "
                    f"raise its weight or use balanced weights",
                )

    def _restore(self, checkpoint: Checkpoint, damaged: list[str]) -> None:
        self.distiller.load_state_dict(checkpoint.distiller)
        self.optimizer.load_state_dict(checkpoint.optimizer)
        self.weights = dict(checkpoint.weights)
        self.standing = _Standing(
            checkpoint.epoch, checkpoint.step, checkpoint.best_accuracy, checkpoint.best_epoch
        )
        sums = {name: value.to(self.fabric.device) for name, value in checkpoint.window.items()}
        self.window = Window(sums, checkpoint.window_steps)
        for name in damaged:
            self.record(
                "warning", text=f"checkpoint `{name}` cannot be read; going on from the one before it"
            )
        if checkpoint.threads != self.threads:
            self.record(
                "warning",
                text=f"the run used {checkpoint.threads} threads until here and goes on with {self.threads}; "
                f"its figures can differ in the last digits from an uninterrupted run",
            )
        self.record("resume", epoch=checkpoint.epoch, step=checkpoint.step)

    # -- training --------------------------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        """Train to the end and return the final figures, which are recorded as ``final`` too.

        Raises:
            Stopped: it was asked to; PursuhintError: a loss is not finite.
        """
        try:
            while self.standing.epoch < self.settings.epochs:
                self._train_epoch()
        finally:
            if isinstance(self._teacher, KeepingTeacher):
                self._teacher.kept.close()
        return self._finish()

    def _train_epoch(self) -> None:
        epoch, first = self.standing.epoch, self.standing.step
        every = max(1, self.batches.steps // LOGGED_PER_EPOCH)
        began = time.perf_counter()
        batches = self.batches.epoch(epoch, first=first, view=self._view())
        for step, batch in enumerate(batches, start=first):
            if self.should_stop():
                self.standing.step = step
                self._save()
                raise Stopped(f"stopped in epoch {epoch + 1} after {step} of {self.batches.steps} steps")
            rate = learning_rate(self.settings, epoch + step / self.batches.steps)
            self.window.add(self._step(batch, rate, epoch, step))
            if (step + 1) % every == 0 or step + 1 == self.batches.steps:
                self._log(self.window.mean(), epoch, step, rate)
        seconds = time.perf_counter() - began
        result = score(self.distiller.student, self.parts.data.validation, self.parts.preprocess)
        improved = result.accuracy > self.standing.best_accuracy
        if improved:
            self.standing.best_accuracy, self.standing.best_epoch = result.accuracy, epoch
            save_tensors(self.folder / BEST, dict(self.distiller.student.state_dict()))
        self.standing.epoch, self.standing.step = epoch + 1, 0
        # Before the checkpoint: a run that ends in between does the epoch again, and readers drop this entry.
        self.record(
            "epoch",
            epoch=epoch + 1,
            validation_accuracy=result.accuracy,
            validation_cross_entropy=result.cross_entropy,
            images_per_second=(self.batches.steps - first) * self.settings.batch_size / max(seconds, 1e-9),
            seconds=seconds,
        )
        self._save()
        self.progress("training", epoch + 1, self.settings.epochs)

    def _step(self, batch: Batch, rate: float, epoch: int, step: int) -> dict[str, Tensor]:
        torch.manual_seed((self.settings.seed * 1_000_003 + epoch) * 1_000_003 + step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        named = self.module(batch, self.teach(batch))
        total = weighted_total(named, self.weights)
        if self.fabric.device.type == "cpu":
            _check_finite(named, epoch, step)
        self.optimizer.zero_grad()
        self.fabric.backward(total)
        self.optimizer.step()
        return {name: value.detach() for name, value in named.items()} | {"total": total.detach()}

    def teach(self, batch: Batch) -> Outputs | None:
        """Return what the teacher says of a batch of this epoch; None when no loss asks."""
        return self._teacher(batch, self._view()) if self._teacher else None

    def _view(self) -> int:
        """Return which view of the images this epoch shows: its own, or one of those that are kept."""
        epoch = self.standing.epoch
        return epoch % self._teacher.kept.views if isinstance(self._teacher, KeepingTeacher) else epoch

    def _log(self, means: dict[str, Tensor], epoch: int, step: int, rate: float) -> None:
        _check_finite(means, epoch, step)
        self.record(
            "step",
            epoch=epoch + (step + 1) / self.batches.steps,
            step=epoch * self.batches.steps + step + 1,
            **step_entry(means, self.weights),
            learning_rate=rate,
        )

    # -- keeping ---------------------------------------------------------------------------------------------

    def _save(self) -> None:
        checkpoint = Checkpoint(
            epoch=self.standing.epoch,
            step=self.standing.step,
            distiller=self.distiller.state_dict(),
            optimizer=self.optimizer.state_dict(),
            weights=dict(self.weights),
            best_accuracy=self.standing.best_accuracy,
            best_epoch=self.standing.best_epoch,
            threads=self.threads,
            window=self.window.sums,
            window_steps=self.window.count,
        )
        save_checkpoint(self.folder, checkpoint)

    def _finish(self) -> dict[str, Any]:
        data, student = self.parts.data, self.distiller.student
        last = score(student, data.test, self.parts.preprocess)
        student.load_state_dict(torch.load(self.folder / BEST, map_location="cpu", weights_only=True))
        best = score(student, data.test, self.parts.preprocess)
        final = {
            "test_accuracy": best.accuracy,
            "test_accuracy_last": last.accuracy,
            "n_test": best.n,
            "best_epoch": self.standing.best_epoch + 1,
            "validation_accuracy": self.standing.best_accuracy,
        }
        self.record("final", **final)
        return final


def _check_finite(named: dict[str, Tensor], epoch: int, step: int) -> None:
    """Raise PursuhintError that names the first loss that is not finite."""
    for name, value in named.items():
        if not bool(torch.isfinite(value)):
            raise PursuhintError(
                f"the loss `{name}` became {value.item()} in epoch {epoch + 1} at step {step + 1}; the "
                "checkpoint "
                f"before it is kept: lower the learning rate or this term's weight"
            )
