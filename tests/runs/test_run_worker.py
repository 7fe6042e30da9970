from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pursuhint.errors import InputError, PursuhintError
from pursuhint.export import read_card
from pursuhint.runs import RunFolder, create_run, worker
from pursuhint.runs.worker import work
from pursuhint.training.checkpoint import checkpoints
from pursuhint.training.loop import Stopped, Trainer
from tests.training.conftest import TIMES


def wait_until(condition: Callable[[], bool], run: RunFolder) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, run.log.read_text()
        time.sleep(0.02)


def curves(run: RunFolder) -> list[list[dict]]:
    """Steps and epochs without what a clock says."""
    history = run.history()
    return [
        [{k: v for k, v in event.items() if k not in TIMES} for event in events]
        for events in (history.steps, history.epochs)
    ]


def test_a_killed_worker_is_lost_and_its_run_is_finished_by_another(settings_for, tmp_path: Path):
    settings = settings_for(epochs=10)
    whole = create_run(settings, folder=tmp_path / "whole")
    work(whole)
    run = create_run(settings, folder=tmp_path / "killed")
    pid = run.launch()
    wait_until(lambda: checkpoints(run.checkpoint_folder), run)  # written after the epoch is recorded
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not run.is_live(), run)
    summary = run.summary()
    assert summary["state"] == "lost"
    assert "its process ended without a word while running; see the log, then resume" in summary["reason"]
    assert not run.student.exists()
    assert 1 <= summary["epoch"] < 10

    work(run)
    assert run.summary()["state"] == "finished"
    assert "resume" in run.history().facts
    assert curves(run) == curves(whole)
    assert run.student.read_bytes() == whole.student.read_bytes()


def test_stopping_keeps_the_run_for_later(settings_for, tmp_path: Path):
    run = create_run(settings_for(), folder=tmp_path)

    def stop(stage: str, done: int, total: int) -> None:
        run.ask_to_stop()

    with pytest.raises(Stopped, match="stopped in epoch 2 after 0 of 3 steps"):
        work(run, progress=stop)
    assert run.summary()["state"] == "stopped"
    assert run.summary()["reason"] == "stopped in epoch 2 after 0 of 3 steps"
    (run.path / "stop").unlink()
    work(run)
    assert run.summary()["state"] == "finished"
    assert run.summary()["epoch"] == 2


def test_a_request_to_stop_from_before_does_not_stop_the_next_worker(settings_for, tmp_path: Path):
    run = create_run(settings_for(epochs=1), folder=tmp_path)
    (run.path / "stop").touch()  # as a signal to a worker that had just ended leaves it
    work(run)
    assert run.summary()["state"] == "finished"


def test_a_process_that_only_misses_another_repeats_why_it_failed(settings_for, tmp_path, monkeypatch):
    def fail(self) -> None:
        run.set_state("failed", reason="process 1: the loss `cls` became nan")
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(Trainer, "run", fail)
    monkeypatch.setattr(worker, "process_count", lambda: 2)
    run = create_run(settings_for(), folder=tmp_path)
    with pytest.raises(PursuhintError, match="^process 1: the loss `cls` became nan$"):
        work(run)
    assert run.summary()["reason"] == "process 1: the loss `cls` became nan"


def test_a_refusal_is_recorded(settings_for, tmp_path: Path):
    run = create_run(settings_for(student="zoo:resnet9"), folder=tmp_path)
    with pytest.raises(InputError, match="unknown zoo model `resnet9`"):
        work(run)
    assert run.summary()["state"] == "failed"
    assert run.summary()["reason"].startswith("unknown zoo model `resnet9`")


@pytest.mark.parametrize(
    "error", [RuntimeError("out of memory\nmore"), MemoryError(), OSError(5, "I/O error")]
)
def test_an_unforeseen_error_is_recorded(settings_for, tmp_path, monkeypatch, capsys, error: Exception):
    def fail(self) -> None:
        raise error

    monkeypatch.setattr(Trainer, "run", fail)
    run = create_run(settings_for(), folder=tmp_path)
    reason = (str(error).splitlines() or ["MemoryError"])[0]
    with pytest.raises(PursuhintError, match="failed: .*; see `.*log.txt`") as caught:
        work(run)
    assert reason in str(caught.value)
    assert (run.summary()["state"], run.summary()["reason"]) == ("failed", reason)
    assert "Traceback" in run.log.read_text()
    assert "Traceback" not in capsys.readouterr().err


def test_the_student_is_exported_with_its_figures(settings_for, tmp_path: Path):
    run = create_run(settings_for(epochs=1), folder=tmp_path)
    final = work(run)
    card = read_card(run.student)
    assert card["test_accuracy"] == final["test_accuracy"]
    assert card["best_epoch"] == 1


def test_a_second_worker_on_the_same_run_is_refused(settings_for, tmp_path: Path):
    run = create_run(settings_for(), folder=tmp_path)
    with run.claim(), pytest.raises(PursuhintError, match="another process already works on"):
        work(run)


def test_the_process_ends_with_the_errors_code(settings_for, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    run = create_run(settings_for(student="zoo:resnet9"), folder=tmp_path)
    monkeypatch.setattr("sys.argv", ["worker", str(run.path)])
    assert worker.main() == 2
    assert capsys.readouterr().err.startswith("error: unknown zoo model `resnet9`")
    good = create_run(settings_for(epochs=1), folder=tmp_path)
    monkeypatch.setattr("sys.argv", ["worker", str(good.path)])
    assert worker.main() == 0


def test_a_polite_signal_asks_to_stop(settings_for, tmp_path: Path, monkeypatch):
    handlers = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    run = create_run(settings_for(), folder=tmp_path)
    worker._ask_to_stop_on_signal(run)
    assert set(handlers) == {signal.SIGTERM, signal.SIGINT}
    handlers[signal.SIGTERM](signal.SIGTERM, None)
    assert run.stop_asked()
