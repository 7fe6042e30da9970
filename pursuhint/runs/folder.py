"""The run folder as readers see it: state, progress, curves, figures. No torch here."""

from __future__ import annotations

import re
import shutil
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pursuhint.errors import InputError, unknown
from pursuhint.home import runs_folder
from pursuhint.jobs import Event, JobFolder
from pursuhint.runs.queue import place_of, queue_device
from pursuhint.training.settings import RunSettings, make_settings

WORKER = "pursuhint.runs.worker"
NOW = "--now"
STUDENT = "student.safetensors"
NO_METRIC = ("kind", "time", "selection")
"""What the last entry of a run holds besides figures."""


@dataclass
class History:
    """A run's journal, sorted by kind; `extend` adds what came since.

    Attributes:
        steps, epochs: logged steps and finished epochs, as recorded by the trainer.
        facts: the latest event of every other kind (``start``, ``weights``, ``final``, ...).
        warnings: their texts, oldest first.
        states: changes of state, oldest first.
    """

    steps: list[Event] = field(default_factory=list)
    epochs: list[Event] = field(default_factory=list)
    facts: dict[str, Event] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    states: list[Event] = field(default_factory=list)
    offset: int = 0

    def extend(self, events: list[Event]) -> None:
        """Add events in their order; work that a resumed run did again replaces what it did first."""
        for event in events:
            kind = event["kind"]
            if kind == "step":
                self.steps.append(event)
            elif kind == "epoch":
                self.epochs.append(event)
            elif kind == "warning":
                self.warnings.append(event["text"])
            elif kind == "state":
                self.states.append(event)
            else:
                self.facts[kind] = event
                if kind == "resume":
                    self._forget_after(event["epoch"], event["step"])
                elif kind == "weights":  # settled once, before the first step: there was no checkpoint
                    self._forget_after(0, 0)

    def _forget_after(self, epoch: int, step: int) -> None:
        per_epoch = self.facts.get("start", {}).get("steps_per_epoch", 1)
        self.steps = [e for e in self.steps if e["step"] <= epoch * per_epoch + step]
        self.epochs = [e for e in self.epochs if e["epoch"] <= epoch]


class RunFolder(JobFolder):
    """One training run on disk.

    Args:
        path: the folder.
    """

    @property
    def run_settings(self) -> RunSettings:
        """The settings it was started with."""
        try:
            return make_settings(**self.settings())
        except (InputError, TypeError) as error:
            raise InputError(
                f"run `{self.id}` cannot be read: {error}; was it made by another version?"
            ) from None

    @property
    def student(self) -> Path:
        """The exported best student; there once the run has finished."""
        return self.path / STUDENT

    @property
    def checkpoint_folder(self) -> Path:
        """Where the checkpoints are."""
        return self.path / "checkpoints"

    def history(self, known: History | None = None) -> History:
        """Read the journal, or only what was added since `known` was read (which is extended in place)."""
        history = known or History()
        events, history.offset = self.journal.read(history.offset)
        history.extend(events)
        return history

    def summary(self, history: History | None = None) -> dict[str, Any]:
        """Return id, name, state and its reason, pid, epoch, epochs and the last value of each metric."""
        history = history or self.history()
        settings = self.run_settings
        state = self.last_state(history.states)
        if state["state"] == "queued" and (place := place_of(self.id, queue_device(settings.device))):
            state = state | ({} if place.free else {"reason": place.text})
        metrics: dict[str, float] = {}
        if history.steps:
            last = history.steps[-1]
            metrics = {"loss": last["total"]} | {f"loss_{t}": v for t, v in last["weighted"].items()}
            metrics["learning_rate"] = last["learning_rate"]
        if history.epochs:
            names = ("validation_accuracy", "validation_cross_entropy", "images_per_second")
            metrics |= {name: history.epochs[-1][name] for name in names}
        final = history.facts.get("final", {})
        metrics |= {name: value for name, value in final.items() if name not in NO_METRIC}
        started = history.facts.get("start", {})
        return {
            "id": self.id,
            "name": settings.title,
            "state": state["state"],
            "pid": state.get("pid"),
            "epoch": history.epochs[-1]["epoch"] if history.epochs else 0,
            "epochs": settings.epochs,
            "selection": settings.select,
            "metrics": metrics,
            "reason": state.get("reason", ""),
            "parameters": started.get("parameters"),
            "compression": started.get("compression"),
            "created": self.id[:15],
        }

    def launch(self, *, now: bool = False) -> int:
        """Start or resume the run in a process of its own and return its number.

        Args:
            now: train at once; else the process waits until the run's device is free.

        Raises:
            InputError: the run has finished.
        """
        self.check_unfinished()
        return self.start(WORKER, *([NOW] if now else []), threads=self.run_settings.threads)

    def check_unfinished(self) -> None:
        """Refuse to go on with a run that has finished.

        Raises:
            InputError: it has.
        """
        if self.last_state()["state"] == "finished":
            raise InputError(f"run `{self.id}` is finished; only a stopped, failed or lost run can go on")

    def begin_anew(self) -> None:
        """Forget what the run has learnt, so that it begins with its first step again; its journal stays.

        Raises:
            InputError: the run is live or has finished.
        """
        self.check_unfinished()
        if self.is_live():
            raise InputError(
                f"run `{self.id}` is {self.last_state()['state']}; stop it before it begins anew"
            )
        shutil.rmtree(self.checkpoint_folder, ignore_errors=True)

    def delete(self) -> None:
        """Remove the run with everything in it.

        Raises:
            InputError: the run is live.
        """
        if self.is_live():
            raise InputError(f"run `{self.id}` is {self.last_state()['state']}; stop it before deleting it")
        shutil.rmtree(self.path)


def create_run(settings: RunSettings, *, folder: Path | None = None) -> RunFolder:
    """Make the folder of a new run; nothing is started.

    Args:
        settings: of the run.
        folder: where runs are kept; the user's data folder when None.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", settings.title.lower()).strip("-")[:40]
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{slug}-{uuid.uuid4().hex[:4]}"
    run = RunFolder((folder or runs_folder()) / name)
    run.create(settings.model_dump(mode="json"))
    return run


def list_runs(folder: Path | None = None) -> list[RunFolder]:
    """Return all runs, newest first."""
    base = folder or runs_folder()
    found = [p for p in base.glob("*") if (p / "settings.json").is_file()] if base.is_dir() else []
    return [RunFolder(path) for path in sorted(found, reverse=True)]


def find_run(name: str, folder: Path | None = None) -> RunFolder:
    """Return the run of that id, or the only one whose id starts or ends with it.

    Raises:
        InputError: there is none, or there are several.
    """
    runs = list_runs(folder)
    exact = [run for run in runs if run.id == name]
    if exact:
        return exact[0]
    near = [run for run in runs if name and (run.id.startswith(name) or run.id.endswith(name))]
    if len(near) > 1:
        raise InputError(
            f"`{name}` fits {len(near)} runs ({near[0].id}, {near[1].id}, ...); give more of the id"
        )
    if not near:
        raise unknown("run", name, [run.id for run in runs])
    return near[0]
