from __future__ import annotations

import json
from pathlib import Path

import pytest

from pursuhint.errors import InputError
from pursuhint.runs import History, RunFolder, create_run, find_run, list_runs
from pursuhint.runs.worker import work
from tests.tiny import STUDENT


@pytest.fixture
def run(settings_for, tmp_path: Path) -> RunFolder:
    return create_run(settings_for(epochs=1, name="mine"), folder=tmp_path / "runs")


def test_the_summary_of_a_finished_run_holds_what_was_agreed(settings_for, tmp_path: Path, tiny_teacher):
    run = create_run(settings_for(), folder=tmp_path)
    final = work(run)
    summary = run.summary()
    assert summary["id"] == run.id
    assert summary["name"] == "resnet8?width=0.25 · kd + at"
    assert (summary["state"], summary["reason"]) == ("finished", "")
    assert (summary["epoch"], summary["epochs"]) == (2, 2)
    assert "pid" in summary
    assert summary["parameters"] == 5006
    assert summary["compression"] == pytest.approx(tiny_teacher.parameters / 5006)
    history = run.history()
    last = history.steps[-1]
    metrics = summary["metrics"]
    assert metrics["loss"] == last["total"]
    assert metrics["loss"] == pytest.approx(
        metrics["loss_cls"] + metrics["loss_logit"] + metrics["loss_hint"]
    )
    assert metrics["learning_rate"] == last["learning_rate"]
    assert metrics["validation_accuracy"] == final["validation_accuracy"]
    assert metrics["test_accuracy"] == final["test_accuracy"]
    assert json.loads(json.dumps(summary)) == summary
    start = history.facts["start"]
    assert (start["student"], start["n_train"], start["steps_per_epoch"]) == (STUDENT, 96, 3)
    assert [pair["guided_shape"] for pair in start["pairs"]] == [[4, 8, 8], [8, 4, 4], [16, 2, 2]]


def test_a_run_that_never_started_has_a_summary(run: RunFolder):
    summary = run.summary()
    assert (summary["state"], summary["epoch"], summary["metrics"]) == ("lost", 0, {})
    assert summary["reason"] == "the job never started"


def test_settings_come_back(run: RunFolder, settings_for):
    assert run.run_settings == settings_for(epochs=1, name="mine")


@pytest.mark.parametrize("change", [{"epochs": 0}, {"new": 1}])
def test_settings_of_another_version_are_refused(run: RunFolder, change: dict):
    path = run.path / "settings.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=r"run `.*` cannot be read: .*; was it made by another version\?"):
        _ = run.run_settings


def test_settings_that_are_no_object_are_refused(run: RunFolder):
    (run.path / "settings.json").write_text("[]")
    with pytest.raises(InputError, match="must hold settings by name; was it edited"):
        run.summary()


def test_history_is_read_on_from_where_it_stopped(run: RunFolder):
    run.journal.append("start", steps_per_epoch=3)
    run.journal.append("step", step=1, total=1.0)
    history = run.history()
    offset = history.offset
    run.journal.append("step", step=2, total=0.5)
    run.journal.append("epoch", epoch=1)
    run.journal.append("warning", text="hot")
    assert run.history(history) is history
    assert history.offset > offset
    assert [e["step"] for e in history.steps] == [1, 2]
    assert ([e["epoch"] for e in history.epochs], history.warnings) == ([1], ["hot"])
    whole = run.history()
    assert (whole.steps, whole.epochs, whole.offset) == (history.steps, history.epochs, history.offset)


def test_work_done_again_replaces_what_was_done_first():
    history = History()
    history.extend([{"kind": "start", "steps_per_epoch": 3}])
    history.extend([{"kind": "step", "step": i, "total": float(i)} for i in range(1, 9)])
    history.extend([{"kind": "epoch", "epoch": 1}, {"kind": "epoch", "epoch": 2}])
    history.extend([{"kind": "resume", "epoch": 1, "step": 1}, {"kind": "step", "step": 5, "total": -1.0}])
    assert [(e["step"], e["total"]) for e in history.steps] == [(1, 1), (2, 2), (3, 3), (4, 4), (5, -1)]
    assert [e["epoch"] for e in history.epochs] == [1]


def test_runs_are_listed_newest_first_and_found_by_a_part_of_their_id(settings_for, tmp_path: Path):
    folder = tmp_path / "runs"
    assert list_runs(folder) == []
    first = create_run(settings_for(name="first"), folder=folder)
    second = create_run(settings_for(name="second"), folder=folder)
    (folder / "not-a-run").mkdir()
    assert {run.id for run in list_runs(folder)} == {first.id, second.id}
    assert [run.id for run in list_runs(folder)] == sorted([first.id, second.id], reverse=True)
    assert find_run(first.id, folder).path == first.path
    assert find_run(second.id[-4:], folder).path == second.path
    with pytest.raises(InputError, match=r"`20` fits 2 runs \(.*, .*, \.\.\.\); give more of the id"):
        find_run("20", folder)
    with pytest.raises(InputError, match="unknown run `nope`. Known: "):
        find_run("nope", folder)
    with pytest.raises(InputError, match="unknown run ``"):
        find_run("", folder)


def test_runs_live_in_the_users_data_folder(settings_for, pursuhint_home: Path):
    run = create_run(settings_for())
    assert run.path.parent == pursuhint_home / "runs"
    assert [one.id for one in list_runs()] == [run.id]


def test_deleting_removes_everything(run: RunFolder):
    run.delete()
    assert not run.path.exists()


def test_a_live_run_is_not_deleted(run: RunFolder):
    with (
        run.claim(),
        pytest.raises(InputError, match=f"run `{run.id}` is running; stop it before deleting it"),
    ):
        run.delete()
    assert run.path.exists()
