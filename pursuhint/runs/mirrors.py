"""Mirrors: copies of a run's figures in TensorBoard or MLflow, which can never stop the run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lightning_fabric.loggers import Logger, TensorBoardLogger

from pursuhint.errors import InputError


class MLflowMirror(Logger):
    """A Fabric logger on MLflow's client; the server is MLFLOW_TRACKING_URI's, else files in the run folder.

    Args:
        folder: the run folder.
        experiment: the experiment's name.
    """

    def __init__(self, folder: Path, experiment: str = "pursuhint") -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient

        uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder / 'mlflow.db'}"
        self._client = MlflowClient(uri)
        found = self._client.get_experiment_by_name(experiment)
        place = found.experiment_id if found else self._client.create_experiment(experiment)
        self._run = self._client.create_run(place, run_name=folder.name).info.run_id

    @property
    def name(self) -> str:
        """The mirror's name."""
        return "mlflow"

    @property
    def version(self) -> str:
        """MLflow's id of the run."""
        return self._run

    def log_hyperparams(self, params: Mapping[str, Any]) -> None:
        """Keep the settings as parameters."""
        for key, value in params.items():
            self._client.log_param(self._run, key, str(value)[:500])

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Keep the figures of a step."""
        for key, value in metrics.items():
            self._client.log_metric(self._run, key.replace("->", " to "), value, step=step or 0)

    def finalize(self, status: str) -> None:
        """Close the run."""
        self._client.set_terminated(self._run, "FINISHED" if status == "success" else "FAILED")


def _tensorboard(folder: Path) -> Logger:
    logger = TensorBoardLogger(root_dir=folder, name="tensorboard", version="")
    _ = logger.experiment
    return logger


MIRRORS: dict[str, Callable[[Path], Logger]] = {"tensorboard": _tensorboard, "mlflow": MLflowMirror}


class Mirrors:
    """Pass what is recorded on to the mirrors; one that fails is dropped with a warning and the run goes on.

    Args:
        names: of `MIRRORS`.
        folder: the run folder.
        warn: receives the text when a mirror is dropped.

    Raises:
        InputError: the package of a mirror is not installed.
    """

    def __init__(self, names: Iterable[str], folder: Path, *, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._loggers: dict[str, Logger] = {}
        for name in names:
            try:
                self._loggers[name] = MIRRORS[name](folder)
            except ImportError as error:
                raise InputError(
                    f"mirror `{name}` needs a package that is not installed ({error.name}); "
                    f"install it with `pip install {name}` or leave the mirror out"
                ) from None
            except Exception as error:
                self._warn(f"mirror `{name}` cannot be reached and is left out: {error}")

    def record(self, kind: str, **fields: Any) -> None:
        """Mirror one event of the trainer."""
        if kind == "step":
            metrics = {"loss": fields["total"], "learning_rate": fields["learning_rate"]}
            metrics |= {f"loss_{term}": value for term, value in fields["weighted"].items()} | fields["raw"]
            self._each(lambda logger: logger.log_metrics(metrics, step=fields["step"]))
        elif kind in ("epoch", "final"):
            numbers = {name: value for name, value in fields.items() if isinstance(value, int | float)}
            metrics = {f"{kind}/{name}": float(value) for name, value in numbers.items()}
            step = fields.get("epoch", fields.get("best_epoch", 0))
            self._each(lambda logger: logger.log_metrics(metrics, step=step))
        elif kind == "start":
            flat = {name: value for name, value in fields.items() if not isinstance(value, dict | list)}
            self._each(lambda logger: logger.log_hyperparams(flat))

    def close(self, *, success: bool) -> None:
        """Tell the mirrors that the run has ended."""
        self._each(lambda logger: logger.finalize("success" if success else "failed"))

    def _each(self, act: Callable[[Logger], None]) -> None:
        for name, logger in list(self._loggers.items()):
            try:
                act(logger)
            except Exception as error:
                del self._loggers[name]
                self._warn(f"mirror `{name}` failed and is left out from here on: {error}")
