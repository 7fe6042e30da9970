from __future__ import annotations

import pytest

from pursuhint.runs import RunFolder
from pursuhint.runs.digest import FILE, make_digest
from pursuhint.runs.glance import END, glance
from tests.runs.conftest import epoch, step


def whole(run: RunFolder) -> dict:
    """The summary by the long way: every line of the journal."""
    return run.summary(run.history())


@pytest.mark.parametrize("epochs", [1, 3, 400])
def test_the_two_ends_of_a_journal_sum_it_up_as_the_whole_does(write_run, epochs: int):
    run = write_run(epochs=epochs, test=0.8)
    if epochs == 400:
        assert run.journal.size() > 8 * END
    settings, size = run.run_settings, run.journal.size()
    short, long = (make_digest(h, settings, journal=size) for h in (glance(run.journal), run.history()))
    assert (short.facts, short.settings) == (long.facts, long.settings)
    assert short.states[-1] == long.states[-1]
    assert run.summary() == whole(run)


def test_a_run_that_went_back_is_summed_up_from_where_it_went_on(write_run):
    run = write_run(epochs=400, state="stopped")
    run.journal.append("resume", epoch=200, step=1)
    assert run.summary() == whole(run)
    assert run.summary()["epoch"] == 200
    run.journal.append(**step(402))
    run.journal.append(**epoch(201, 0.99))
    run.set_state("running", pid=2**22, born=0.0)
    assert run.summary() == whole(run)
    assert (run.summary()["epoch"], run.summary()["metrics"]["loss"]) == (201, pytest.approx(2.5 / 402))


def test_the_digest_is_kept_and_used_until_the_journal_grows(write_run, monkeypatch):
    run = write_run(epochs=3)
    first = run.summary()
    assert (run.path / FILE).is_file()
    with monkeypatch.context() as patch:
        patch.setattr("pursuhint.runs.folder.glance", None)  # nobody reads the journal
        assert run.summary() == first
    run.journal.append("final", test_accuracy=0.5, best_epoch=1)
    assert run.summary()["metrics"]["test_accuracy"] == 0.5


def test_a_torn_last_line_is_no_part_of_it(write_run):
    run = write_run(epochs=3)
    with open(run.journal.path, "ab") as file:
        file.write(b'{"kind": "final", "test_acc')
    assert "test_accuracy" not in run.summary()["metrics"]
    assert run.summary() == whole(run)


@pytest.mark.parametrize("content", ["", "{}", '{"version": 0}', "no"])
def test_a_digest_that_cannot_be_read_is_made_anew(write_run, content: str):
    run = write_run(epochs=3)
    expected = run.summary()
    (run.path / FILE).write_text(content)
    assert run.summary() == expected
    run.summary()
    assert (run.path / FILE).read_text() != content


def test_the_digest_of_a_live_run_is_not_kept_and_a_lost_one_is_found_out(write_run):
    import os

    import psutil

    run = write_run(state=None)
    run.set_state("running", pid=os.getpid(), born=psutil.Process().create_time())
    assert run.summary()["state"] == "running" and not (run.path / FILE).exists()
    run.set_state("running", pid=2**22, born=0.0)
    assert run.summary()["state"] == "lost" and (run.path / FILE).is_file()
    assert run.summary()["state"] == "lost"


def test_a_folder_that_cannot_be_written_is_read_all_the_same(write_run, monkeypatch):
    from pursuhint.errors import StorageError

    def full(*_) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr("pursuhint.runs.digest.write_json", full)
    assert write_run(epochs=3).summary()["epoch"] == 3
