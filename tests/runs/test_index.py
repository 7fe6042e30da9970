from __future__ import annotations

import os
import threading
from pathlib import Path

import psutil
import pytest

from pursuhint.errors import InputError
from pursuhint.runs import RunIndex, delete_runs
from pursuhint.runs.index import arrange
from tests.runs.conftest import epoch, step


def go_live(run) -> None:
    run.set_state("running", pid=os.getpid(), born=psutil.Process().create_time())


def test_summaries_follow_what_happens(write_run, tmp_path: Path):
    run, other = write_run(name="one"), write_run(name="two", state=None)
    go_live(other)
    index = RunIndex(tmp_path / "runs")
    assert index.summaries() == (
        [one.summary() for one in sorted((run, other), key=lambda r: r.id)[::-1]],
        [],
    )
    run.label(name="renamed")
    other.journal.append(**step(7))
    other.journal.append(**epoch(4, 0.9))
    summaries, _ = index.summaries()
    assert {one["name"] for one in summaries} == {"renamed", "two"}
    live = next(one for one in summaries if one["name"] == "two")
    assert (live["epoch"], live["state"]) == (4, "running")
    other.set_state("running", pid=2**22, born=0.0)
    assert {one["state"] for one in index.summaries()[0]} == {"finished", "lost"}
    run.delete()
    assert [one["id"] for one in index.summaries()[0]] == [other.id]


def test_a_live_run_is_read_on_from_where_one_stopped(write_run, tmp_path, monkeypatch):
    run = write_run(state=None)
    go_live(run)
    index = RunIndex(tmp_path / "runs")
    index.summaries()
    history = index.history(run)
    begins = []
    pieces = type(run.journal).pieces
    monkeypatch.setattr(
        type(run.journal), "pieces", lambda self, offset=0: begins.append(offset) or pieces(self, offset)
    )
    size = run.journal.size()
    run.journal.append(**step(7))
    assert index.summary(run)["metrics"]["loss"] == pytest.approx(2.5 / 7)
    assert begins == [size] and index.history(run) is history and len(history.steps) == 7


def test_many_readers_at_once_read_every_step_once(write_run, tmp_path: Path):
    run = write_run(state=None, epochs=50)
    index = RunIndex(tmp_path / "runs")
    readers = [threading.Thread(target=lambda: [index.history(run) for _ in range(30)]) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(101, 131):
        run.journal.append(**step(number))
    for reader in readers:
        reader.join()
    assert [step["step"] for step in index.history(run).steps] == list(range(1, 131))


def test_another_journal_in_its_place_is_read_from_its_beginning(write_run, tmp_path: Path):
    run, other = write_run(epochs=5), write_run(epochs=2)
    index = RunIndex(tmp_path / "runs")
    assert len(index.history(run).epochs) == 5
    run.journal.path.write_bytes(other.journal.path.read_bytes())
    assert len(index.history(run).epochs) == 2


def test_a_run_that_cannot_be_read_is_said_and_the_others_are_listed(write_run, tmp_path: Path):
    run, broken = write_run(), write_run()
    (broken.path / "settings.json").write_text("{}")
    summaries, problems = RunIndex(tmp_path / "runs").summaries()
    assert [one["id"] for one in summaries] == [run.id]
    assert len(problems) == 1 and "was it made by another version?" in problems[0]


def test_several_are_deleted_together_or_not_at_all(write_run, tmp_path: Path):
    runs = [write_run() for _ in range(3)]
    go_live(runs[1])
    with pytest.raises(InputError, match=f"run `{runs[1].id}` is running; stop it before deleting it"):
        delete_runs(runs)
    assert all(run.path.is_dir() for run in runs)
    runs[1].set_state("stopped")
    runs[2].delete()
    delete_runs(runs)  # one is gone already, by another tab
    assert list((tmp_path / "runs").iterdir()) == []


def summary(name: str, **more) -> dict:
    base = {"id": name, "name": name, "tags": [], "state": "finished", "created": name, "compression": None}
    return base | {"metrics": {}, "settings": {"student": "zoo:resnet8", "hint_loss": "at"}} | more


def test_runs_are_chosen_and_sorted():
    runs = [
        summary("c", tags=["new", "at"], metrics={"validation_accuracy": 0.7}),
        summary("B", state="failed", settings={"student": "zoo:resnet20"}, compression=3.0),
        summary("a", tags=["new"], metrics={"test_accuracy": 0.9, "validation_accuracy": 0.1}),
    ]

    def names(**asked) -> str:
        return "".join(one["name"] for one in arrange(runs, **asked))

    assert names() == "caB"  # by what they were created as
    assert (names(by="accuracy"), names(by="name"), names(by="compression")) == ("acB", "aBc", "Bca")
    assert (names(words="RESNET20"), names(words="resnet at"), names(words="nothing")) == ("B", "ca", "")
    assert (names(states=["failed"]), names(tags=["new", "at"]), names(states=["lost"])) == ("B", "c", "")
    with pytest.raises(InputError, match="unknown order `size`"):
        names(by="size")
