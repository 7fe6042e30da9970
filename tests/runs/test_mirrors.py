from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from pursuhint.errors import InputError
from pursuhint.runs import create_run, mirrors
from pursuhint.runs.mirrors import Mirrors
from pursuhint.runs.worker import work


class Fragile:
    """A logger that breaks at a chosen call."""

    def __init__(self, breaks_at: str) -> None:
        self.breaks_at, self.calls = breaks_at, []

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: object, **options: object) -> None:
            self.calls.append((name, arguments, options))
            if name == self.breaks_at:
                raise ConnectionError("server gone")

        return call


def test_tensorboard_holds_the_journals_figures(settings_for, tmp_path: Path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = create_run(settings_for(mirrors=("tensorboard",)), folder=tmp_path)
    final = work(run)
    events = EventAccumulator(str(run.path / "tensorboard"))
    events.Reload()
    steps = run.history().steps
    for tag, values in (
        ("loss", [step["total"] for step in steps]),
        ("loss_hint", [step["weighted"]["hint"] for step in steps]),
        ("logit", [step["raw"]["logit"] for step in steps]),
        ("epoch/validation_accuracy", [e["validation_accuracy"] for e in run.history().epochs]),
        ("final/test_accuracy", [final["test_accuracy"]]),
    ):
        assert [scalar.value for scalar in events.Scalars(tag)] == pytest.approx(values, rel=1e-6)
    assert [scalar.step for scalar in events.Scalars("loss")] == [step["step"] for step in steps]


@pytest.mark.parametrize("breaks_at", ["log_hyperparams", "log_metrics", "finalize"])
def test_a_mirror_that_breaks_does_not_stop_the_run(settings_for, tmp_path, monkeypatch, breaks_at: str):
    fragile = Fragile(breaks_at)
    monkeypatch.setitem(mirrors.MIRRORS, "tensorboard", lambda folder: fragile)
    run = create_run(settings_for(epochs=1, mirrors=("tensorboard",)), folder=tmp_path)
    work(run)
    assert run.summary()["state"] == "finished"
    assert run.history().warnings == ["mirror `tensorboard` failed and is left out from here on: server gone"]
    assert fragile.calls[-1][0] == breaks_at


def test_a_mirror_that_cannot_be_reached_does_not_stop_the_run(settings_for, tmp_path, monkeypatch):
    def refuse(folder: Path) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setitem(mirrors.MIRRORS, "mlflow", refuse)
    run = create_run(settings_for(epochs=1, mirrors=("mlflow",)), folder=tmp_path)
    work(run)
    expected = "mirror `mlflow` cannot be reached and is left out: no route to host"
    assert run.history().warnings == [expected]


def test_a_mirror_whose_package_is_missing_is_refused(tmp_path: Path, monkeypatch):
    def missing(folder: Path) -> None:
        raise ModuleNotFoundError("No module named 'mlflow'", name="mlflow")

    monkeypatch.setitem(mirrors.MIRRORS, "mlflow", missing)
    message = (
        r"mirror `mlflow` needs a package that is not installed \(mlflow\); install it with `pip install"
    )
    with pytest.raises(InputError, match=message):
        Mirrors(["mlflow"], tmp_path, warn=pytest.fail)


def test_mlflow_is_really_missed_where_it_is_not_installed(tmp_path: Path):
    if importlib.util.find_spec("mlflow"):
        pytest.skip("mlflow is installed")
    with pytest.raises(InputError, match=r"mirror `mlflow` needs a package that is not installed \(mlflow\)"):
        Mirrors(["mlflow"], tmp_path, warn=pytest.fail)


def test_mlflow_holds_the_journals_figures(settings_for, tmp_path: Path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run = create_run(settings_for(epochs=1, mirrors=("mlflow",)), folder=tmp_path)
    work(run)
    assert run.history().warnings == []
    client = mlflow.MlflowClient(f"sqlite:///{run.path / 'mlflow.db'}")
    (found,) = client.search_runs([client.get_experiment_by_name("pursuhint").experiment_id])
    assert found.info.status == "FINISHED"
    totals = [metric.value for metric in client.get_metric_history(found.info.run_id, "loss")]
    assert totals == pytest.approx([step["total"] for step in run.history().steps])


def test_what_mlflow_is_told(tmp_path: Path, monkeypatch):
    """With a stand-in for its client: names without arrows, text cut, the run closed."""
    import sys
    import types

    told: list[tuple] = []

    class Client:
        def __init__(self, uri: str) -> None:
            told.append(("uri", uri))

        def get_experiment_by_name(self, name: str) -> None:
            return None

        def create_experiment(self, name: str) -> str:
            return "7"

        def create_run(self, place: str, run_name: str) -> Any:
            return types.SimpleNamespace(info=types.SimpleNamespace(run_id="r1"))

        def __getattr__(self, name: str) -> Any:
            return lambda *arguments, **options: told.append((name, *arguments, *options.values()))

    monkeypatch.setitem(sys.modules, "mlflow", types.SimpleNamespace(MlflowClient=Client))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "")
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY")
    kept = Mirrors(["mlflow"], tmp_path, warn=pytest.fail)
    kept.record("start", student="zoo:x" * 200, pairs=[1])
    step = {
        "total": 1.0,
        "learning_rate": 0.1,
        "weighted": {"hint": 2.0},
        "raw": {"hint/a->b": 3.0},
        "step": 4,
    }
    kept.record("step", **step)
    kept.close(success=False)
    assert told == [
        ("uri", f"sqlite:///{tmp_path / 'mlflow.db'}"),
        ("log_param", "r1", "student", ("zoo:x" * 200)[:500]),
        ("log_metric", "r1", "loss", 1.0, 4),
        ("log_metric", "r1", "learning_rate", 0.1, 4),
        ("log_metric", "r1", "loss_hint", 2.0, 4),
        ("log_metric", "r1", "hint/a to b", 3.0, 4),
        ("set_terminated", "r1", "FAILED"),
    ]
