"""The queue with real processes: each holder is one, and some are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pursuhint.errors import InputError, StopRequested, StorageError
from pursuhint.runs import create_run, queue
from pursuhint.runs.queue import SLOTS_VARIABLE, place_of, queue_device, slots, turn
from pursuhint.runs.worker import work

HOLDER = """
import sys, time
from pathlib import Path
from pursuhint.runs.queue import turn
name, out = sys.argv[1], Path(sys.argv[2])
def say(text): open(out, "a").write(f"{name} {text}\\n")
with turn(name, "cpu", waiting=lambda place: say("waits"), stop_asked=lambda: False, now="now" in sys.argv):
    say("begins")
    while not (out.parent / f"{name}.end").exists():
        time.sleep(0.02)
    say("ends")
"""


class Queue:
    """Starts holders and reads what they said."""

    def __init__(self, folder: Path) -> None:
        self.out, self.processes = folder / "out.txt", {}
        self.out.touch()

    def ask(self, name: str, *options: str) -> None:
        command = [sys.executable, "-c", HOLDER, name, str(self.out), *options]
        self.processes[name] = subprocess.Popen(command)

    def end(self, name: str) -> None:
        (self.out.parent / f"{name}.end").touch()

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()

    @property
    def said(self) -> list[str]:
        return self.out.read_text().splitlines()

    def wait_for(self, *lines: str) -> None:
        wait_until(lambda: self.said == list(lines), lambda: self.said)


def wait_until(condition: Callable[[], bool], told: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.02)


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    made = Queue(tmp_path)
    yield made
    for process in made.processes.values():
        process.kill()
        process.wait()


def test_runs_go_one_after_the_other_in_the_order_of_asking(line: Queue):
    said = ["a begins"]
    line.ask("a")
    line.wait_for(*said)
    for name in "bc":
        line.ask(name)
        said.append(f"{name} waits")
        line.wait_for(*said)
    assert place_of("a", "cpu").free
    assert place_of("c", "cpu").before == ("a", "b")
    assert place_of("c", "cpu").text == "waits for `cpu`: 2 runs before it, first a"
    assert place_of("nobody", "cpu") is None
    line.ask("hasty", "now")  # does not wait
    said.append("hasty begins")
    line.wait_for(*said)
    line.kill("a")  # without a word
    said.append("b begins")
    line.wait_for(*said)
    line.kill("b")
    said.append("c begins")
    line.wait_for(*said)
    line.end("c")
    wait_until(lambda: "c ends" in line.said, lambda: line.said)
    line.processes["c"].wait()
    assert place_of("c", "cpu") is None


def test_a_waiting_run_that_dies_lets_the_next_one_pass(line: Queue):
    line.ask("a")
    line.wait_for("a begins")
    line.ask("b")
    line.wait_for("a begins", "b waits")
    line.ask("c")
    line.wait_for("a begins", "b waits", "c waits")
    line.kill("b")
    wait_until(lambda: place_of("c", "cpu").before == ("a",), lambda: place_of("c", "cpu"))
    line.end("a")
    line.wait_for("a begins", "b waits", "c waits", "a ends", "c begins")


def test_devices_have_a_queue_each_and_may_take_several_runs(monkeypatch: pytest.MonkeyPatch):
    def enter(name: str, device: str):
        held = turn(name, device, waiting=lambda place: pytest.fail(place.text), stop_asked=lambda: False)
        held.__enter__()
        return held

    held = [enter("a", "cpu"), enter("b", "cuda:0")]
    monkeypatch.setenv(SLOTS_VARIABLE, "2")
    held.append(enter("c", "cpu"))
    with pytest.raises(StopRequested, match="stopped while it waited for its turn"):  # noqa: SIM117
        with turn("d", "cpu", waiting=lambda place: None, stop_asked=lambda: True):
            pytest.fail("it had to wait")
    for one in held:
        one.__exit__(None, None, None)
    assert [path.name for path in (queue.home() / "queue").rglob("0*")] == []


@pytest.mark.parametrize("value", ["0", "-1", "two", ""])
def test_a_number_of_runs_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv(SLOTS_VARIABLE, value)
    message = f"`PURSUHINT_RUNS_AT_ONCE` must be a whole number above 0; found `{value}`"
    with pytest.raises(InputError, match=message):
        slots()


def test_auto_is_the_device_that_torch_would_take(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(queue, "ACCELERATORS", (tmp_path / "none",))
    assert queue_device("auto") == queue_device("cpu") == "cpu"
    monkeypatch.setattr(queue, "ACCELERATORS", (tmp_path,))
    assert queue_device("auto") == queue_device("cuda") == queue_device("cuda:0") == "cuda:0"
    assert queue_device("cuda:1") == "cuda:1"


def test_a_data_folder_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PURSUHINT_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="cannot write `.*queue/cpu`: Not a directory; set PURSUHINT_HOME"):  # noqa: SIM117
        with turn("a", "cpu", waiting=pytest.fail, stop_asked=lambda: False):
            pass


def test_a_run_waits_for_its_device_says_so_and_can_be_stopped_meanwhile(settings_for):
    first, second = create_run(settings_for(epochs=1)), create_run(settings_for(epochs=1))
    told: list[str] = []

    def waiting(text: str) -> None:
        told.append(text)
        assert second.summary()["state"] == "queued"
        assert second.summary()["reason"] == text
        second.ask_to_stop()

    with turn(first.id, "cpu", waiting=pytest.fail, stop_asked=lambda: False):
        with pytest.raises(StopRequested, match="stopped while it waited for its turn"):
            work(second, waiting=waiting)
        assert second.summary()["state"] == "stopped"
        assert told == [f"waits for `cpu`: 1 run before it, first {first.id}"]
        work(second, now=True)
        assert second.summary()["state"] == "finished"


def test_a_queued_run_goes_on_by_itself_when_the_one_before_was_killed(settings_for):
    """Two in processes of their own, started twice each: two runs, one at a time."""
    first, second = create_run(settings_for(epochs=400)), create_run(settings_for(epochs=1))
    pids = [first.launch(), first.launch()]
    wait_until(lambda: first.summary()["state"] == "running", first.summary)
    pids += [second.launch(), second.launch()]
    assert len(set(pids)) == 2
    wait_until(lambda: "1 run before it" in second.summary()["reason"], second.summary)
    assert second.history().facts == {}
    os.kill(pids[0], signal.SIGKILL)
    wait_until(lambda: second.summary()["state"] == "finished", second.summary)
    assert first.summary()["state"] == "lost"
