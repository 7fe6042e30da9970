"""Mirrors: copies of a run's journal in TensorBoard or MLflow, which can never stop or slow the run.

Each mirror has a thread that reads the journal from where it last got to and passes on what is new. One that
is locked, gone or restarted is tried again later and then gets everything it missed; how far it has come is
kept in the run folder, so another process can go on.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lightning_fabric.loggers import Logger, TensorBoardLogger

from pursuhint.errors import InputError, PursuhintError, StorageError
from pursuhint.files import read_json, write_json
from pursuhint.jobs import Event, Journal
from pursuhint.runs.folder import RunFolder

EVERY = 1.0
"""Seconds between two looks at the journal."""
LONGEST_PAUSE = 15.0
"""Seconds between two tries to reach a mirror, once it has been gone for a while."""
PATIENCE, PATIENCE_STOPPED = 30.0, 2.0
"""Seconds that a run which has finished, and one that was stopped, waits until its mirrors are complete."""


class MLflowMirror(Logger):
    """A Fabric logger on MLflow's client; the server is MLFLOW_TRACKING_URI's, else files in the run folder.

    A run that goes on goes on there too.

    Args:
        folder: the run folder.
        experiment: the experiment's name.
    """

    def __init__(self, folder: Path, experiment: str = "pursuhint") -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient

        uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder / 'mlflow.db'}"
        self._client = MlflowClient(uri)
        known = read_json(folder / "mlflow.json") if (folder / "mlflow.json").is_file() else {}
        if known.get("uri") == uri:
            self._run = known["run"]
            self._client.update_run(self._run, status="RUNNING")
            return
        found = self._client.get_experiment_by_name(experiment)
        place = found.experiment_id if found else self._client.create_experiment(experiment)
        self._run = self._client.create_run(place, run_name=folder.name).info.run_id
        write_json(folder / "mlflow.json", {"uri": uri, "run": self._run})

    @property
    def name(self) -> str:
        """The mirror's name."""
        return "mlflow"

    @property
    def version(self) -> str:
        """MLflow's id of the run."""
        return self._run

    def log_hyperparams(self, params: Mapping[str, Any]) -> None:
        """Keep the settings as parameters; MLflow refuses a second value, so the first one of each stays."""
        kept = self._client.get_run(self._run).data.params
        for key, value in params.items():
            if key not in kept:
                self._client.log_param(self._run, key, str(value)[:500])

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Keep the figures of a step, in one request."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        named = {key.replace("->", " to "): value for key, value in metrics.items()}
        rows = [Metric(key, value, now, step or 0) for key, value in named.items()]
        self._client.log_batch(self._run, metrics=rows)

    def finalize(self, status: str) -> None:
        """Close the run."""
        self._client.set_terminated(self._run, "FINISHED" if status == "success" else "FAILED")


def _tensorboard(folder: Path) -> Logger:
    logger = TensorBoardLogger(root_dir=folder, name="tensorboard", version="")
    _ = logger.experiment
    return logger


MIRRORS: dict[str, Callable[[Path], Logger]] = {"tensorboard": _tensorboard, "mlflow": MLflowMirror}


@contextmanager
def mirroring(names: Iterable[str], folder: Path, *, warn: Callable[[str], None]) -> Iterator[None]:
    """Keep mirrors up to date while the block runs, and wait a while at its end until they are complete.

    Args:
        names: of `MIRRORS`.
        folder: the run folder.
        warn: receives a text when a mirror cannot be reached, and when it is still incomplete at the end.

    Raises:
        InputError: the package of a mirror is not installed.
    """
    mirrors = [Mirror(name, folder, warn=warn) for name in names]
    for mirror in mirrors:
        mirror.start()
    success = False
    try:
        yield
        success = True
    finally:
        for mirror in mirrors:
            mirror.close(success=success)
        deadline = time.monotonic() + (PATIENCE if success else PATIENCE_STOPPED)
        for mirror in mirrors:
            mirror.join(max(0.0, deadline - time.monotonic()))
            if not mirror.complete:
                mirror.give_up()
                warn(
                    f"mirror `{mirror.name}` is incomplete; `pursuhint runs mirror {folder.name}` completes "
                    "it once it can be reached"
                )


def complete(run: RunFolder) -> list[str]:
    """Pass on to the mirrors of a run that has ended what they lack, and return their names.

    Raises:
        InputError: the run has no mirrors.
        PursuhintError: one still cannot be reached.
    """
    names = list(run.run_settings.mirrors)
    if not names:
        raise InputError(f"run `{run.id}` has no mirrors; `--mirror` gives one to a run when it starts")
    said: list[str] = []
    with mirroring(names, run.path, warn=said.append):
        pass
    if said:
        raise PursuhintError(said[0])
    return names


class Mirror(threading.Thread):
    """One mirror, which follows the journal of a run.

    Args:
        name: of `MIRRORS`.
        folder: the run folder.
        warn: receives a text when it cannot be reached.

    Attributes:
        complete: whether it has everything and was told of the end.

    Raises:
        InputError: its package is not installed.
    """

    def __init__(self, name: str, folder: Path, *, warn: Callable[[str], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.folder, self.complete = folder, False
        self._warn, self._journal = warn, Journal(folder / "journal.jsonl")
        self._kept = folder / f"mirror-{name}.json"
        self._saved = read_json(self._kept)["offset"] if self._kept.is_file() else 0
        self._offset = self._saved
        self._pending: deque[Event] = deque()
        self._ended: str | None = None
        self._given_up = False
        self._woken = threading.Event()
        self._logger = self._reach()

    def close(self, *, success: bool) -> None:
        """Say that nothing more will come."""
        self._ended = "success" if success else "failed"
        self._woken.set()

    def give_up(self) -> None:
        """Do not try again."""
        self._given_up = True
        self._woken.set()

    def run(self) -> None:
        """Pass on what is new, again and again, until the run has ended and everything is passed on."""
        pause, reachable = EVERY, True
        while not (self.complete or self._given_up):
            self._woken.wait(pause if not self._ended or not reachable else 0)
            self._woken.clear()
            try:
                self._catch_up()
                pause, reachable = EVERY, True
            except Exception as error:
                self._logger = None  # what is broken may stay so: it is reached anew
                if reachable:
                    self._warn(
                        f"mirror `{self.name}` cannot be reached and is completed later: {_one_line(error)}"
                    )
                reachable = False
                pause = min(2 * pause, EVERY if self._ended else LONGEST_PAUSE)

    def _reach(self) -> Logger | None:
        """Return the logger, or None when it has to be tried again."""
        try:
            return self._open()
        except InputError:
            raise
        except Exception:
            return None

    def _open(self) -> Logger:
        try:
            return MIRRORS[self.name](self.folder)
        except ImportError as error:
            raise InputError(
                f"mirror `{self.name}` needs a package that is not installed ({error.name}); "
                f"install it with `pip install {self.name}` or leave the mirror out"
            ) from None

    def _catch_up(self) -> None:
        ended = self._ended  # before reading: what was written until then is read below
        self._logger = self._logger or self._open()
        events, self._offset = self._journal.read(self._offset)
        self._pending.extend(events)
        while self._pending:
            pass_on(self._pending[0], self._logger)
            self._pending.popleft()
        if ended:
            self._logger.finalize(ended)
        if self._offset != self._saved:
            with suppress(StorageError):  # then another process passes some of it on a second time
                write_json(self._kept, {"offset": self._offset})
                self._saved = self._offset
        self.complete = ended is not None


def pass_on(event: Event, logger: Logger) -> None:
    """Copy one event of a journal into a logger; what is no figure and no setting is left out.

    Args:
        event: as the journal keeps it.
        logger: of a mirror.
    """
    kind = event["kind"]
    if kind == "step":
        metrics = {"loss": event["total"], "learning_rate": event["learning_rate"]}
        metrics |= {f"loss_{term}": value for term, value in event["weighted"].items()} | event["raw"]
        logger.log_metrics(metrics, step=event["step"])
    elif kind in ("epoch", "final"):
        numbers = {k: v for k, v in event.items() if isinstance(v, int | float) and k != "time"}
        metrics = {f"{kind}/{name}": float(value) for name, value in numbers.items()}
        logger.log_metrics(metrics, step=event.get("epoch", event.get("best_epoch", 0)))
    elif kind == "start":
        plain = {k: v for k, v in event.items() if k not in ("kind", "time")}
        logger.log_hyperparams({k: v for k, v in plain.items() if not isinstance(v, dict | list)})


def _one_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
