from __future__ import annotations

import itertools
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pursuhint.errors import InputError, PursuhintError, StopRequested
from pursuhint.export import read_card
from pursuhint.losses.at import AttentionTransfer
from pursuhint.runs import RunFolder, create_run, worker
from pursuhint.runs.signals import stopping_on_signal
from pursuhint.runs.worker import work
from pursuhint.training import loop
from pursuhint.training.checkpoint import checkpoints
from pursuhint.training.loop import Stopped, Trainer
from pursuhint.training.selection import Selection
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
    lines = run.log.read_text().splitlines()
    assert all(re.match(rf"\d{{4}}-\d\d-\d\dT\S+ {run.id} ", line) for line in lines), lines
    assert [line.split()[2] for line in lines[:2]] == ["process", "start:"] and " epoch: " in lines[2]

    work(run)
    assert run.summary()["state"] == "finished"
    assert "resume" in run.history().facts
    assert curves(run) == curves(whole)
    assert run.student.read_bytes() == whole.student.read_bytes()


def test_a_run_that_failed_is_finished_where_it_stands(settings_for, tmp_path: Path, monkeypatch):
    run = create_run(settings_for(epochs=9), folder=tmp_path)
    with pytest.raises(InputError, match="has done no epoch, so there is no student to end with"):
        run.launch(finish=True)
    forward, calls = AttentionTransfer.forward, itertools.count()

    def broken(self, *arguments):
        values = forward(self, *arguments)
        return {name: value * float("nan") for name, value in values.items()} if next(calls) > 7 else values

    monkeypatch.setattr(AttentionTransfer, "forward", broken)
    with pytest.raises(PursuhintError, match="became nan in epoch 3"):
        work(run)
    with pytest.raises(PursuhintError, match="became nan in epoch 3"):
        work(run)  # it can only fail again
    final, history = work(run, finish=True), run.history()
    assert run.summary()["state"] == "finished" and len(history.epochs) == 2
    best = max(history.epochs, key=lambda epoch: epoch["validation_accuracy"])
    assert final["validation_accuracy"] == best["validation_accuracy"]
    assert "finished early, after 2 of 9 epochs, with the best student until then" in history.warnings
    card = read_card(run.student)
    assert (card["epochs"], card["test_accuracy"]) == (2, final["test_accuracy"])


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
    def fail(self, **_) -> None:
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
    def fail(self, **_) -> None:
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
    assert "error: unknown zoo model `resnet9`" in capsys.readouterr().err
    good = create_run(settings_for(epochs=1), folder=tmp_path)
    monkeypatch.setattr("sys.argv", ["worker", str(good.path)])
    assert worker.main() == 0


def test_a_polite_signal_asks_to_stop_and_the_next_one_ends(settings_for, tmp_path: Path):
    run = create_run(settings_for(), folder=tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    with stopping_on_signal(run):
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
            assert run.stop_asked()
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), number)
            (run.path / "stop").unlink()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_run_that_is_interrupted_is_stopped_and_goes_on(settings_for, tmp_path: Path):
    """As by a notebook's button, or by the second Ctrl-C."""
    run = create_run(settings_for(), folder=tmp_path)

    def interrupt(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(StopRequested, match="stopped at once; it goes on from its newest checkpoint"):
        work(run, progress=interrupt)
    assert run.summary()["state"] == "stopped"
    work(run)
    assert run.summary()["state"] == "finished"


def test_a_request_to_stop_while_an_epoch_is_scored_keeps_its_steps(settings_for, tmp_path, monkeypatch):
    """A validation part can take minutes: the request is found between two batches of it."""
    whole = create_run(settings_for(), folder=tmp_path / "whole")
    work(whole)
    run = create_run(settings_for(), folder=tmp_path / "stopped")
    original = Selection.after_epoch

    def ask_first(self, *arguments, **options):
        run.ask_to_stop()
        return original(self, *arguments, **options)

    monkeypatch.setattr(Selection, "after_epoch", ask_first)
    with pytest.raises(Stopped, match="stopped in epoch 1 after 3 of 3 steps, before it was scored"):
        work(run)
    monkeypatch.setattr(Selection, "after_epoch", original)
    assert [path.name for path in checkpoints(run.checkpoint_folder)] == ["epoch-0000-step-000003.pt"]
    final = Selection.final
    monkeypatch.setattr(Selection, "final", lambda *a, **o: (run.ask_to_stop(), final(*a, **o))[1])
    with pytest.raises(Stopped, match="stopped after the last epoch, before the final figures"):
        work(run)
    monkeypatch.setattr(Selection, "final", final)
    work(run)
    assert curves(run) == curves(whole)
    assert run.student.read_bytes() == whole.student.read_bytes()


def test_long_epochs_are_kept_from_within(settings_for, tmp_path, monkeypatch):
    """With a checkpoint due at every step, a run that dies in the fifth one goes on from there."""
    settings = settings_for()
    whole = create_run(settings, folder=tmp_path / "whole")
    work(whole)
    monkeypatch.setattr(loop, "SAVE_EVERY", 0.0)
    run = create_run(settings, folder=tmp_path / "died")
    taken, original = iter(range(10)), loop.take_step

    def die(*arguments, **options):
        if next(taken) == 4:
            raise RuntimeError("the machine was switched off")
        return original(*arguments, **options)

    monkeypatch.setattr(loop, "take_step", die)
    with pytest.raises(PursuhintError, match="switched off"):
        work(run)
    monkeypatch.setattr(loop, "take_step", original)
    work(run)
    resumed = run.history().facts["resume"]
    assert (resumed["epoch"], resumed["step"]) == (1, 1)
    assert curves(run) == curves(whole)
    assert run.student.read_bytes() == whole.student.read_bytes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"versions": {"torch": "1.0"}},
            "torch was 1.0 until here and is .* now; figures can differ from an uninterrupted run",
        ),
        ({"python": "3.0.0"}, "Python was 3.0.0 until here and is .* now; figures can differ"),
        ({"code": "0" * 16}, "the code of pursuhint has changed since the run began; figures can differ"),
        ({"data_id": "0" * 16}, "the images or labels have changed since the run began: what it learnt"),
    ],
)
def test_what_has_changed_since_the_run_began_is_said(settings_for, tmp_path, change: dict, said: str):
    run = stopped_in_the_middle(settings_for(), tmp_path)
    earlier = run.history().facts["start"]
    versions = earlier["versions"] | change.pop("versions", {})
    run.journal.append(**earlier | {"versions": versions} | change)
    work(run)
    assert any(re.match(said, text) for text in run.history().warnings), run.history().warnings
    assert run.summary()["state"] == "finished"


def test_a_run_that_goes_on_as_it_was_says_nothing(settings_for, tmp_path: Path):
    run = stopped_in_the_middle(settings_for(), tmp_path)
    work(run)
    assert run.history().warnings == []


def test_a_run_does_not_go_on_with_more_images_or_fewer(settings_for, tmp_path: Path):
    run = stopped_in_the_middle(settings_for(), tmp_path)
    run.journal.append(**run.history().facts["start"] | {"n_train": 1000})
    message = "the run trained on 1,000 images until here and the data now has 96; put the data back"
    for _ in range(2):  # the refusal itself changes nothing
        with pytest.raises(PursuhintError, match=message):
            work(run)
    assert run.summary()["state"] == "failed"


def stopped_in_the_middle(settings, folder: Path) -> RunFolder:
    run = create_run(settings, folder=folder)
    with pytest.raises(Stopped):
        work(run, progress=lambda *_: run.ask_to_stop())
    return run
