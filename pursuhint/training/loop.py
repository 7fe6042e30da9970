"""The training loop, on Lightning Fabric: one for teachers, students alone and distillation."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pursuhint.device import bfloat16_pays, prepare_cpu
from pursuhint.errors import PursuhintError, StopRequested
from pursuhint.files import in_bytes
from pursuhint.losses import Batch, Outputs
from pursuhint.progress import Progress, silent
from pursuhint.teacher import NotFiniteError
from pursuhint.training.check import check_processes
from pursuhint.training.checkpoint import latest_checkpoint, save_checkpoint
from pursuhint.training.compiling import CompiledBlocks, Compiler
from pursuhint.training.distiller import freeze_unreached, run_network, state_kept
from pursuhint.training.finite import FirstNotFinite, check_losses, check_tensors, diverged
from pursuhint.training.memory import explain_out_of_memory
from pursuhint.training.precision import build_fabric
from pursuhint.training.prepare import Parts, build_batches, build_distiller
from pursuhint.training.processes import Processes
from pursuhint.training.resume import Standing, capture, restore
from pursuhint.training.schedule import learning_rate
from pursuhint.training.selection import Selection, average_weights
from pursuhint.training.settings import RunSettings
from pursuhint.training.settling import settle
from pursuhint.training.step import seed_step, take_step
from pursuhint.training.target_cache import keep_targets
from pursuhint.training.teaching import KeepingTeacher, LiveTeacher, Teaching
from pursuhint.training.trunk import learning_groups
from pursuhint.training.weight_schedule import weights_at
from pursuhint.training.window import Window, step_entry

Record = Callable[..., None]
"""Called as ``record(kind, **fields)`` with plain values; a run's journal is one."""
LOGGED_PER_EPOCH = 20
SAVE_EVERY = 600.0
"""Seconds after which a checkpoint is written within an epoch too: the most that a killed run does again."""


class Stopped(StopRequested):
    """The run was asked to stop; its checkpoint is written."""


class Trainer:
    """Train a student as its settings say.

    With several processes every one has a trainer of its own; only the first one records and writes.

    Args:
        settings: of the run.
        parts: from `pursuhint.training.prepare.load_parts`.
        folder: where checkpoints are kept; every process can read it.
        record: receives every event of the run.
        should_stop: asked before every step; True in any process ends the run with a checkpoint.
        progress: is told after every epoch.
        processes: that train together, when they were joined before.

    Raises:
        InputError: targets cannot be kept by several processes.
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
        processes: Processes | None = None,
    ) -> None:
        self.settings, self.parts, self.folder = settings, parts, folder
        self.processes = processes or Processes(build_fabric(settings))
        check_processes(settings, self.processes.count)
        self.fabric = self.processes.fabric
        self.threads = prepare_cpu(settings.threads)
        self.record = record if self.processes.first else _ignore
        self.should_stop, self.progress = should_stop, progress
        self.batches = build_batches(settings, parts, self.processes)
        self.distiller = build_distiller(settings, parts).to(self.fabric.device)
        self.selection = Selection(settings, parts)
        self.standing = Standing()
        self.window = Window()
        self._bad = FirstNotFinite()
        self._good: dict[str, Tensor] = {}  # values of the last steps that were looked at
        self.weights: dict[str, float] = {}
        self.average: nn.Module | None = None
        self._compiler = None if settings.compile == "off" else Compiler(self._warn)
        taught = parts.teacher is not None and any(loss.needs_teacher for loss in self.distiller.losses)
        self._save_next = time.monotonic() + SAVE_EVERY
        self._teacher: Teaching | None = None
        if taught:
            self._teacher = LiveTeacher(
                _resting(parts.teacher.model), parts.pairs, self.fabric, self._compiler
            )

    # -- before the first step -------------------------------------------------------------------------------

    def start(self) -> None:
        """Build regressors and optimiser, then go on from the latest checkpoint or settle the weights.

        Raises:
            PursuhintError: memory runs out, or the weights cannot be balanced.
        """
        with explain_out_of_memory(self.settings, self.folder):
            self._start()

    def _start(self) -> None:
        if self.settings.precision == "bf16-mixed" and not bfloat16_pays(self.fabric.device):
            self._warn(
                f"this {self.fabric.device.type} has no arithmetic for bfloat16, so bf16-mixed can be many "
                "times slower than 32-true here"
            )
        example = next(self.batches.parts(0, 0))
        teacher = self.teach(example)
        torch.manual_seed(self.settings.seed)
        self.distiller.prepare(example, teacher, self.batches.images)
        self.distiller.to(self.fabric.device, memory_format=torch.channels_last).train()
        if self.settings.keep_targets:
            teacher = self._keep_targets(example)
        if self.processes.count > 1:
            freeze_unreached(self.distiller, example, teacher)
        groups = learning_groups(
            self.distiller,
            self.distiller.student,
            self.parts.beginning.head,
            self.settings.trunk_rate,
        )
        self._shares = [group.share for group in groups]
        optimizer = torch.optim.SGD(
            [{"params": group.parameters} for group in groups],
            lr=self.settings.learning_rate,
            momentum=self.settings.momentum,
            weight_decay=self.settings.weight_decay,
            # Fused, a first step that loss scaling leaves out leaves a momentum that was never written.
            fused=self.fabric.device.type in ("cpu", "cuda") and not self.scales_losses,
        )
        found = latest_checkpoint(self.folder)
        if found is None:
            settle(self, example, teacher)
        if self.settings.compile == "both":
            self._compile_student(example)
        self.module, self.optimizer = self.fabric.setup(self.distiller, optimizer)
        if self.settings.ema is not None:
            self.average = average_weights(self.distiller.student, self.settings.ema)
        if found is not None:
            restore(self, *found)

    def _keep_targets(self, example: Batch) -> Outputs:
        """Keep what the teacher says, if it fits; returns what it says of the example."""
        keeping = keep_targets(
            self._teacher,
            example,
            self.settings,
            self.parts,
            losses=self.distiller.losses,
            ids=self.batches.images.ids.numpy(),
            warn=self._warn,
        )
        if keeping is not None:
            self._teacher, kept = keeping, keeping.kept
            everything = kept.views * len(self.batches.images.ids)
            self.record("targets", bytes=kept.bytes, views=kept.views, share_kept=len(kept) / everything)
            self.progress(f"keeping {in_bytes(kept.bytes)} of targets", len(kept), everything)
        return self.teach(example)

    def _compile_student(self, example: Batch) -> None:
        distiller = self.distiller

        def trial(compiled: CompiledBlocks) -> None:
            with state_kept(distiller.student), compiled, self.fabric.autocast():
                outputs = run_network(distiller.student, example.images, distiller.guided)
                total = sum(
                    values.float().square().mean() for values in (outputs.logits, *outputs.features.values())
                )
                asking = [value for value in distiller.student.parameters() if value.requires_grad]
                torch.autograd.grad(total, asking, allow_unused=True)

        shape = tuple(example.images.shape[1:])
        distiller.compiled = self._compiler.compile(distiller.student, shape, distiller.guided, trial)

    # -- training --------------------------------------------------------------------------------------------

    def run(self, *, further: bool = True) -> dict[str, Any]:
        """Train to the end and return the final figures, which are recorded as ``final`` too.

        Args:
            further: take steps; otherwise the run ends where it stands, with the best student so far.

        Raises:
            Stopped: it was asked to; PursuhintError: a loss is not finite, or memory runs out.
        """
        try:
            with explain_out_of_memory(self.settings, self.folder):
                if not further:
                    if not self.selection.best:
                        raise PursuhintError("no checkpoint holds a student that was scored; resume the run")
                    epochs = f"{self.standing.epoch} of {self.settings.epochs} epochs"
                    self._warn(f"finished early, after {epochs}, with the best student until then")
                while further and self.standing.epoch < self.settings.epochs:
                    self._train_epoch()
                final = self.processes.from_first(
                    lambda: self._unless_stopped(
                        lambda: self.selection.final(
                            self._scored, self.distiller.student, progress=self._heed
                        )
                    )
                )
                if final is None:
                    raise Stopped("stopped after the last epoch, before the final figures")
        finally:
            if isinstance(self._teacher, KeepingTeacher):
                self._teacher.kept.close()
        self.record("final", **final)
        return final

    def _train_epoch(self) -> None:
        epoch, first = self.standing.epoch, self.standing.step
        every = max(1, self.batches.steps // LOGGED_PER_EPOCH)
        self.distiller.train()  # a score leaves the student as one, and what rests within it must not wake
        began = time.perf_counter()
        parts = self.batches.epoch(epoch, first=first, view=self._view())
        for step in range(first, self.batches.steps):
            if self.processes.any(self.should_stop()):
                self._save_within(epoch, step)
                raise Stopped(f"stopped in epoch {epoch + 1} after {step} of {self.batches.steps} steps")
            if self.processes.any(time.monotonic() >= self._save_next):
                self._save_within(epoch, step)
            rate = learning_rate(self.settings, epoch + step / self.batches.steps)
            batch = itertools.islice(parts, self.settings.accumulate)  # this process's share of it
            self.window.add(self.step(batch, rate, epoch, step))
            if (step + 1) % every == 0 or step + 1 == self.batches.steps:
                self._log(self.window.mean(), epoch, step, rate)
        seconds = time.perf_counter() - began
        check_tensors(self.distiller, epoch, before=self._good)
        figures = self.processes.from_first(lambda: self._unless_stopped(lambda: self._score_epoch(epoch)))
        if figures is None:
            self._save_within(epoch, self.batches.steps)
            steps = self.batches.steps
            raise Stopped(
                f"stopped in epoch {epoch + 1} after {steps} of {steps} steps, before it was scored"
            )
        self.standing = Standing(epoch + 1)
        # Before the checkpoint: a run that ends in between does the epoch again, and readers drop this entry.
        self.record(
            "epoch",
            epoch=epoch + 1,
            **figures,
            images_per_second=(self.batches.steps - first) * self.settings.batch_size / max(seconds, 1e-9),
            seconds=seconds,
        )
        self._save()
        self.progress("training", epoch + 1, self.settings.epochs)

    def _score_epoch(self, epoch: int) -> dict[str, float]:
        try:
            return self.selection.after_epoch(self._scored, epoch, progress=self._heed)
        except NotFiniteError:
            seen = f"after epoch {epoch + 1} the student's outputs are not finite: its weights went astray"
            raise diverged(seen, self._good) from None

    def step(self, parts: Iterable[Batch], rate: float, epoch: int, step: int) -> dict[str, Tensor]:
        """Take one step with the parts of a batch; returns its `pursuhint.training.window.step_values`."""
        seed_step(self.settings.seed, epoch, step, self.processes.rank)
        for group, share in zip(self.optimizer.param_groups, self._shares, strict=True):
            group["lr"] = rate * share

        def check(named: Mapping[str, Tensor]) -> None:
            if self._reads_losses:
                check_losses(named, epoch, step, before=self._good)
            else:
                self._bad.note(named, step)

        values = take_step(
            self.fabric,
            self.module,
            self.optimizer,
            ((batch, self.teach(batch)) for batch in parts),
            count=self.settings.accumulate,
            weights=self.weights_at(epoch + step / self.batches.steps),
            check=check,
        )
        if self.average is not None:
            self.average.update_parameters(self.distiller.student)
        if self._reads_losses:
            self._good = values
        return values

    def weights_at(self, epoch: float) -> dict[str, float]:
        """Return the weight of every part at a (fractional) epoch."""
        schedules = self.settings.weight_schedule.model_dump()
        return weights_at(self.weights, schedules, epoch, self.settings.epochs)

    def teach(self, batch: Batch) -> Outputs | None:
        """Return what the teacher says of a batch of this epoch; None when no loss asks."""
        return self._teacher(batch, self._view()) if self._teacher else None

    def _view(self) -> int:
        """Return which view of the images this epoch shows: its own, or one of those that are kept."""
        return self.standing.epoch % self.views if self.views else self.standing.epoch

    @property
    def views(self) -> int:
        """In how many kept views each image is shown; 0 when every epoch shows a new one."""
        return self._teacher.kept.views if isinstance(self._teacher, KeepingTeacher) else 0

    @property
    def _reads_losses(self) -> bool:
        """Whether losses are read at every step: a GPU would have to end all work before."""
        return self.fabric.device.type == "cpu"

    @property
    def scales_losses(self) -> bool:
        """Whether gradients are kept from vanishing in half precision by scaling the losses."""
        return bool(self.fabric.strategy.precision.state_dict())

    @property
    def _scored(self) -> nn.Module:
        """The student that is scored and kept: the averaged one when weights are averaged."""
        return self.distiller.student if self.average is None else self.average.module

    def _log(self, means: dict[str, Tensor], epoch: int, step: int, rate: float) -> None:
        means = self.processes.mean(means)
        self._bad.check(epoch, before=self._good)
        check_losses(means, epoch, step, before=self._good)
        self._good = means
        self.record(
            "step",
            epoch=epoch + (step + 1) / self.batches.steps,
            step=epoch * self.batches.steps + step + 1,
            **step_entry(means),
            learning_rate=rate,
        )

    # -- keeping ---------------------------------------------------------------------------------------------

    def _warn(self, text: str) -> None:
        self.record("warning", text=text)

    def _heed(self, stage: str, done: int, total: int) -> None:
        if self.should_stop():
            raise Stopped("stopped while it was scored")

    def _unless_stopped(self, score: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """Return the scores; None when the run was asked to stop: the other processes must hear of it."""
        try:
            return score()
        except Stopped:
            return None

    def _save_within(self, epoch: int, step: int) -> None:
        check_tensors(self.distiller, epoch, before=self._good)
        self.standing = Standing(epoch, step)
        self._save()

    def _save(self) -> None:
        self._save_next = time.monotonic() + SAVE_EVERY
        checkpoint = capture(self)
        self.processes.from_first(lambda: save_checkpoint(self.folder, checkpoint) and None)


def _resting(teacher: nn.Module) -> nn.Module:
    """Return a teacher in eval mode; one that was left in train mode stays so and a copy takes its place."""
    if not any(module.training for module in teacher.modules()):
        return teacher
    return deepcopy(teacher).eval()


def _ignore(kind: str, **fields: Any) -> None:
    """Record nothing."""
