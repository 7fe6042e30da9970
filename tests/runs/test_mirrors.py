from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pursuhint.errors import InputError, PursuhintError
from pursuhint.jobs import Journal
from pursuhint.runs import RunFolder, create_run, mirrors
from pursuhint.runs.mirrors import complete, mirroring
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
def test_a_mirror_that_stays_broken_does_not_stop_the_run(settings_for, tmp_path, monkeypatch, breaks_at):
    fragile = Fragile(breaks_at)
    monkeypatch.setitem(mirrors.MIRRORS, "tensorboard", lambda folder: fragile)
    monkeypatch.setattr(mirrors, "PATIENCE", 0.5)
    run = create_run(settings_for(epochs=1, mirrors=("tensorboard",)), folder=tmp_path)
    work(run)
    assert run.summary()["state"] == "finished"
    assert run.history().warnings == [
        "mirror `tensorboard` cannot be reached and is completed later: server gone",
        f"mirror `tensorboard` is incomplete; `pursuhint runs mirror {run.id}` completes it once it can be "
        "reached",
    ]
    assert breaks_at in {call[0] for call in fragile.calls}


class Ledger:
    """A logger whose server is gone for its first calls, and which keeps what it gets across restarts."""

    kept: ClassVar[list[tuple]] = []
    gone_for: ClassVar[int] = 0

    def __init__(self, folder: Path) -> None:
        self._check()

    def _check(self) -> None:
        if Ledger.gone_for > 0:
            Ledger.gone_for -= 1
            raise ConnectionError("no route to host\nand more")

    def log_hyperparams(self, params: dict) -> None:
        self._check()
        Ledger.kept.append(("params", params["student"]))

    def log_metrics(self, metrics: dict, step: int) -> None:
        self._check()
        Ledger.kept.append((step, *sorted(metrics.items())))

    def finalize(self, status: str) -> None:
        self._check()
        Ledger.kept.append(("end", status))


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> type[Ledger]:
    monkeypatch.setattr(Ledger, "kept", [])
    monkeypatch.setattr(Ledger, "gone_for", 0)
    monkeypatch.setattr(mirrors, "EVERY", 0.02)
    monkeypatch.setitem(mirrors.MIRRORS, "tensorboard", Ledger)
    return Ledger


def expected(run: RunFolder) -> list[tuple]:
    """What a mirror must hold, from the run's curves."""
    history = run.history()
    found: list[tuple] = [("params", history.facts["start"]["student"])]
    for step in history.steps:
        metrics = {"loss": step["total"], "learning_rate": step["learning_rate"], **step["raw"]}
        metrics |= {f"loss_{term}": value for term, value in step["weighted"].items()}
        found.append((step["step"], *sorted(metrics.items())))
    return found


def test_a_mirror_that_was_gone_for_a_while_is_complete_afterwards(settings_for, tmp_path: Path, ledger):
    ledger.gone_for = 4
    run = create_run(settings_for(epochs=2, mirrors=("tensorboard",)), folder=tmp_path)
    work(run)
    said = "mirror `tensorboard` cannot be reached and is completed later: no route to host"
    assert run.history().warnings == [said]
    figures = [entry for entry in ledger.kept if not entry[1][0].startswith(("epoch/", "final/"))]
    assert figures[:-1] == expected(run)
    assert ledger.kept[-1] == ("end", "success")
    assert len(ledger.kept) == len(figures) + 2 + 1  # two epochs and the final figures


def test_a_mirror_that_missed_the_end_is_completed_by_a_command(
    settings_for, tmp_path, ledger, monkeypatch, pursuhint_home
):
    monkeypatch.setattr(mirrors, "PATIENCE", 0.2)
    ledger.gone_for = 10**6
    run = create_run(settings_for(epochs=1, mirrors=("tensorboard",)))
    work(run)
    assert ledger.kept == []
    with pytest.raises(PursuhintError, match="mirror `tensorboard` cannot be reached and is completed later"):
        complete(run)
    ledger.gone_for = 0
    assert complete(run) == ["tensorboard"]
    assert [entry for entry in ledger.kept if isinstance(entry[0], int)][: len(run.history().steps)] == (
        expected(run)[1:]
    )
    already = len(ledger.kept)
    complete(run)
    assert ledger.kept[already:] == [("end", "success")]  # nothing twice


def test_a_run_without_mirrors_has_none_to_complete(settings_for, tmp_path: Path):
    run = create_run(settings_for(), folder=tmp_path)
    with pytest.raises(InputError, match=f"run `{run.id}` has no mirrors; `--mirror` gives one to a run"):
        complete(run)


def test_a_mirror_whose_package_is_missing_is_refused(tmp_path: Path, monkeypatch):
    def missing(folder: Path) -> None:
        raise ModuleNotFoundError("No module named 'mlflow'", name="mlflow")

    monkeypatch.setitem(mirrors.MIRRORS, "mlflow", missing)
    message = (
        r"mirror `mlflow` needs a package that is not installed \(mlflow\); install it with `pip install"
    )
    with pytest.raises(InputError, match=message), mirroring(["mlflow"], tmp_path, warn=pytest.fail):
        pass


def test_mlflow_is_really_missed_where_it_is_not_installed(tmp_path: Path):
    if importlib.util.find_spec("mlflow"):
        pytest.skip("mlflow is installed")
    message = r"mirror `mlflow` needs a package that is not installed \(mlflow\)"
    with pytest.raises(InputError, match=message), mirroring(["mlflow"], tmp_path, warn=pytest.fail):
        pass


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
    """With a stand-in for its client: names without arrows, text cut, the run closed and found again."""
    told: list[tuple] = []
    known = {"data_id": "kept from before"}

    class Client:
        def __init__(self, uri: str) -> None:
            told.append(("uri", uri))

        def get_experiment_by_name(self, name: str) -> None:
            return None

        def create_experiment(self, name: str) -> str:
            return "7"

        def create_run(self, place: str, run_name: str) -> Any:
            return types.SimpleNamespace(info=types.SimpleNamespace(run_id="r1"))

        def get_run(self, run: str) -> Any:
            return types.SimpleNamespace(data=types.SimpleNamespace(params=known))

        def __getattr__(self, name: str) -> Any:
            return lambda *arguments, **options: told.append((name, *arguments, *options.values()))

    entities = types.SimpleNamespace(Metric=lambda key, value, time, step: (key, value, step))
    monkeypatch.setitem(sys.modules, "mlflow", types.SimpleNamespace(MlflowClient=Client, entities=entities))
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "")
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY")
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append("start", student="zoo:x" * 200, data_id="new", pairs=[1])
    step = {"total": 1.0, "learning_rate": 0.1, "weighted": {"hint": 2.0}, "raw": {"hint/a->b": 3.0}}
    journal.append("step", step=4, **step)
    with pytest.raises(KeyError), mirroring(["mlflow"], tmp_path, warn=pytest.fail):
        raise KeyError
    figures = [("loss", 1.0, 4), ("learning_rate", 0.1, 4), ("loss_hint", 2.0, 4), ("hint/a to b", 3.0, 4)]
    uri = ("uri", f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert told == [
        uri,
        ("log_param", "r1", "student", ("zoo:x" * 200)[:500]),
        ("log_batch", "r1", figures),
        ("set_terminated", "r1", "FAILED"),
    ]
    told.clear()
    journal.append("step", step=5, **step)
    with mirroring(["mlflow"], tmp_path, warn=pytest.fail):
        pass
    assert told == [
        uri,
        ("update_run", "r1", "RUNNING"),
        ("log_batch", "r1", [(name, value, 5) for name, value, _ in figures]),
        ("set_terminated", "r1", "FINISHED"),
    ]
