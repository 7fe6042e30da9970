"""The run folder as readers see it: state, progress, curves, figures. No torch here."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from pursuhint.errors import InputError, PursuhintError, unknown
from pursuhint.home import runs_folder
from pursuhint.jobs import LIVE, JobFolder
from pursuhint.jobs.stopping import stop
from pursuhint.runs.digest import Digest, keep_digest, make_digest, read_digest
from pursuhint.runs.glance import glance
from pursuhint.runs.history import History
from pursuhint.runs.labels import RunLabels, read_labels, write_labels
from pursuhint.runs.queue import place_of, queue_device
from pursuhint.training.settings import RunSettings, make_settings

WORKER = "pursuhint.runs.worker"
NOW, FINISH = "--now", "--finish"
STUDENT = "student.safetensors"
EXAMINATION = "examination"
"""The folder inside a run's in which its student is examined."""


class RunFolder(JobFolder):
    """One training run on disk.

    Args:
        path: the folder.
    """

    @property
    def run_settings(self) -> RunSettings:
        """The settings it was started with."""
        content = self.settings()
        try:
            return make_settings(**content)
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
        for events, offset in self.journal.pieces(history.offset):
            history.extend(events)
            history.offset = offset
        return history

    def digest(self, history: History | None = None) -> Digest:
        """Return the run in short: as it was kept, else from the two ends of its journal."""
        if history is not None:
            return make_digest(history, self.run_settings, journal=history.offset)
        size = self.journal.size()  # before it is read: what comes meanwhile makes the digest outdated
        kept = read_digest(self.path, size)
        return kept or make_digest(glance(self.journal), self.run_settings, journal=size)

    def summary(self, history: History | None = None) -> dict[str, Any]:
        """Return id, name, state and its reason, pid, epoch, epochs, the latest metrics and so on.

        Args:
            history: when it is at hand; otherwise the digest of an ended run is made once and kept.
        """
        digest = self.digest(history)
        summary = self.summary_of(digest)
        if history is None and summary["state"] not in LIVE and self.journal.size() == digest.journal:
            self.keep(digest)
        return summary

    def keep(self, digest: Digest) -> None:
        """Keep a digest beside the journal, for lists of many runs."""
        if digest.journal and read_digest(self.path, digest.journal) is None:
            keep_digest(self.path, digest)

    def summary_of(self, digest: Digest) -> dict[str, Any]:
        """Return what is known in short, with the run's labels and with the state it is in now."""
        state, labels, facts = self.last_state(digest.states), self.labels, digest.facts
        if state["state"] == "queued":
            place = place_of(self.id, queue_device(digest.settings["device"]))
            state = state | ({"reason": place.text} if place and not place.free else {})
        return {
            "id": self.id,
            "name": labels.name or facts["title"],
            "tags": list(labels.tags),
            "state": state["state"],
            "pid": state.get("pid"),
            "epoch": facts["epoch"],
            "epochs": facts["epochs"],
            "selection": facts["selection"],
            "metrics": facts["metrics"],
            "reason": state.get("reason", ""),
            "parameters": facts["parameters"],
            "compression": facts["compression"],
            "created": self.id[:15],
            "settings": digest.settings,
        }

    @property
    def labels(self) -> RunLabels:
        """Its name and tags."""
        return read_labels(self.path)

    def label(self, *, name: str | None = None, tags: Iterable[str] | None = None) -> None:
        """Change its name or its tags; see `pursuhint.runs.labels.write_labels`."""
        write_labels(self.path, name=name, tags=tags)

    def launch(self, *, now: bool = False, finish: bool = False) -> int:
        """Start or resume the run in a process of its own and return its number.

        Args:
            now: train at once; else the process waits until the run's device is free.
            finish: train no further, see `check_finishable`.

        Raises:
            InputError: the run has finished, or there is nothing to finish it with.
        """
        self.check_unfinished()
        if finish:
            self.check_finishable()
        options = [option for option, wanted in ((NOW, now), (FINISH, finish)) if wanted]
        return self.start(WORKER, *options, threads=self.run_settings.threads)

    def check_finishable(self) -> None:
        """Make sure that the run has a student to end with: the best one of the epochs it has done.

        Raises:
            InputError: no epoch was done.
        """
        if self.summary()["epoch"] < 1:
            raise InputError(
                f"run `{self.id}` has done no epoch, so there is no student to end with; resume or delete it"
            )

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
            InputError: the run is live; PursuhintError: the folder cannot be removed.
        """
        delete_runs([self])


def delete_runs(runs: Iterable[RunFolder]) -> None:
    """Remove runs with everything in them, or none of them.

    Raises:
        InputError: one is live; PursuhintError: a folder cannot be removed.
    """
    runs = list(runs)
    for run in runs:
        if (state := run.last_state()["state"]) in LIVE:
            raise InputError(f"run `{run.id}` is {state}; stop it before deleting it")
    for run in runs:
        if (run.path / EXAMINATION).is_dir():
            stop(JobFolder(run.path / EXAMINATION), grace=0.0)
        grave = run.path.with_name(f".{run.id}.removed-{uuid.uuid4().hex[:4]}")
        try:
            run.path.rename(grave)  # first, so that nobody ever opens half of it
        except FileNotFoundError:
            continue  # another tab was quicker
        except OSError as error:
            raise PursuhintError(f"cannot remove `{run.path}`: {error.strerror}; check its rights") from error
        shutil.rmtree(grave, ignore_errors=True)


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
    names = os.listdir(base) if base.is_dir() else []
    found = [name for name in names if name[0] != "." and os.path.isfile(base / name / "settings.json")]
    return [RunFolder(base / name) for name in sorted(found, reverse=True)]


def find_run(name: str, folder: Path | None = None) -> RunFolder:
    """Return the run of that id, or the only one whose id starts or ends with it.

    Raises:
        InputError: there is none, or there are several.
    """
    exact = RunFolder((folder or runs_folder()) / name)
    if Path(name).name == name and not name.startswith(".") and (exact.path / "settings.json").is_file():
        return exact
    runs = list_runs(folder)
    near = [run for run in runs if name and (run.id.startswith(name) or run.id.endswith(name))]
    if len(near) > 1:
        raise InputError(
            f"`{name}` fits {len(near)} runs ({near[0].id}, {near[1].id}, ...); give more of the id"
        )
    if not near:
        raise unknown("run", name, [run.id for run in runs])
    return near[0]
