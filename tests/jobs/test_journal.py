from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from pursuhint.errors import PursuhintError
from pursuhint.jobs import Journal
from pursuhint.jobs import journal as journals


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


def texts(journal: Journal) -> list[str]:
    return [event["text"] for event in journal.read()[0]]


def test_events_come_back_in_order_with_kind_and_time(journal: Journal):
    before = time.time()
    journal.append("note", text="ä")
    journal.append("step", total=0.5, raw={"cls": 1.0})
    (first, second), offset = journal.read()
    assert (first["kind"], first["text"]) == ("note", "ä")
    assert {k: v for k, v in second.items() if k != "time"} == {
        "kind": "step",
        "total": 0.5,
        "raw": {"cls": 1.0},
    }
    assert before <= first["time"] <= second["time"] <= time.time()
    assert offset == journal.path.stat().st_size


def test_a_journal_that_is_not_there_is_empty(journal: Journal):
    assert journal.read() == ([], 0)


def test_reading_goes_on_from_an_offset(journal: Journal):
    journal.append("note", text="one")
    _, offset = journal.read()
    assert journal.read(offset) == ([], offset)
    journal.append("note", text="two")
    events, _ = journal.read(offset)
    assert [event["text"] for event in events] == ["two"]


def test_a_torn_last_line_is_skipped_and_read_once_it_is_whole(journal: Journal):
    journal.append("note", text="one")
    whole = journal.path.read_bytes()
    journal.append("note", text="two")
    rest = journal.path.read_bytes()[len(whole) :]
    journal.path.write_bytes(whole + rest[:-9])
    events, offset = journal.read()
    assert [event["text"] for event in events] == ["one"]
    with open(journal.path, "ab") as file:
        file.write(rest[-9:])
    assert [event["text"] for event in journal.read(offset)[0]] == ["two"]


def test_the_next_writer_closes_a_torn_line(journal: Journal):
    journal.append("note", text="one")
    with open(journal.path, "ab") as file:
        file.write(b'{"time": 1, "kind": "no')
    _, offset = journal.read()
    journal.append("note", text="two")
    assert texts(journal) == ["one", "two"]
    assert [event["text"] for event in journal.read(offset)[0]] == ["two"]
    assert journal.path.read_bytes().count(b"\n") == 3


@pytest.mark.parametrize("line", [b"[1]", b"3", b"\xff\xfe", b"", b"{"])
def test_a_line_that_is_no_event_is_skipped(journal: Journal, line: bytes):
    journal.append("note", text="one")
    with open(journal.path, "ab") as file:
        file.write(line + b"\n")
    journal.append("note", text="two")
    assert texts(journal) == ["one", "two"]


def test_writers_at_the_same_time_lose_nothing(journal: Journal):
    def write(name: int) -> None:
        for i in range(20):
            journal.append("note", text=f"{name}-{i}")

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts(journal)) == sorted(f"{name}-{i}" for name in range(4) for i in range(20))


def test_a_disk_that_is_full_is_said(tmp_path: Path):
    journal = Journal(tmp_path / "full")
    journal.path.symlink_to("/dev/full")
    with pytest.raises(
        PursuhintError, match="cannot write `.*full`: No space left on device; free some space"
    ):
        journal.append("note", text="one")


def test_a_folder_that_is_gone_is_said(tmp_path: Path):
    with pytest.raises(PursuhintError, match="cannot write .*: No such file or directory"):
        Journal(tmp_path / "gone" / "journal.jsonl").append("note")
    assert os.listdir(tmp_path) == []


def test_times_never_go_back_though_the_clock_does(tmp_path: Path):
    ticks = iter([1000.0, 1010.0, 400.0, 410.0, 1020.0])
    for _ in range(5):  # each by a writer of its own, as after a restart
        Journal(tmp_path / "journal.jsonl", clock=lambda: next(ticks)).append("note")
    times = [event["time"] for event in Journal(tmp_path / "journal.jsonl").read()[0]]
    assert times == [1000.0, 1010.0, 1010.0, 1010.0, 1020.0]


@pytest.mark.parametrize("size", [1, 64, 1 << 16])
def test_the_last_event_of_a_kind_is_found_from_the_end(journal: Journal, monkeypatch, size: int):
    """As reading everything finds it, whatever the blocks cut through."""
    monkeypatch.setattr(journals, "BLOCK", size)
    assert journal.last("state") is None
    for i in range(30):
        journal.append("state" if i % 11 == 0 else "step", text=i % 4 * ' "kind": "state" ')
        found = [event for event in journal.read()[0] if event["kind"] == "state"]
        assert journal.last("state") == found[-1]
    with open(journal.path, "ab") as file:
        file.write(b'{"time": 9e9, "kind": "state", "te')
    assert journal.last("state") == found[-1]
    assert journal.last("none") is None
