"""What a fault is tried on: tiny runs, workers that can be killed, and the checks afterwards."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pursuhint.errors import PursuhintError
from pursuhint.jobs.transitions import transition
from pursuhint.runs import RunFolder, create_run, worker
from pursuhint.training.checkpoint import checkpoints, latest_checkpoint
from pursuhint.training.settings import RunSettings, make_settings

CLOCKED = ("time", "seconds", "images_per_second")
STUDENT = "zoo:resnet8?width=0.25"
LONGEST = 120.0
"""Seconds after which a run that still does not end counts as lost."""


@dataclass
class Row:
    """What came of a series of tries.

    Attributes:
        promise: what must hold.
        how: the fault was caused.
        tries: how often.
        lost: what did not hold, in words; empty when all did.
        note: why it was not tried.
    """

    promise: str
    how: str
    tries: int = 0
    lost: list[str] = field(default_factory=list)
    note: str = ""


@dataclass
class Bench:
    """Where runs are made and with what they are compared.

    Attributes:
        folder: of everything.
        seconds: that an uninterrupted run takes.
        random: every random moment comes from here.
    """

    folder: Path
    random: random.Random
    seconds: float = 0.0
    whole: RunFolder | None = None

    def settings(self, **fields: Any) -> RunSettings:
        """Return the settings of a run of a second or so."""
        given = {
            "kind": "train",
            "student": STUDENT,
            "data": "digits",
            "preprocess": "digits",
            "device": "cpu",
            "threads": 1,
            "batch_size": 32,
            "limit": 96,
            "epochs": 10,
            "seed": 3,
        }
        return make_settings(**given | fields)

    def new_run(self, folder: Path | None = None, **fields: Any) -> RunFolder:
        """Make a run that has not begun."""
        return create_run(self.settings(**fields), folder=folder or self.folder / "runs")

    def measure(self) -> None:
        """Do one run without any fault: all others must end as it does."""
        run = self.new_run()
        began = time.monotonic()
        wait_for(fork_worker(run))
        self.seconds, self.whole = time.monotonic() - began, run
        if run.last_state()["state"] != "finished":
            raise PursuhintError(f"not even an undisturbed run finishes; see `{run.log}`")

    def finish(self, run: RunFolder) -> list[str]:
        """Let a run go on to its end and return in what it differs from the undisturbed one."""
        wait_for(fork_worker(run))
        state = run.last_state()
        if state["state"] != "finished":
            return [f"the next start ended {state['state']}: {state['reason']}"]
        found = follows_the_table(run)
        if figures(run) != figures(self.whole):
            found.append("other figures than the undisturbed run")
        if run.student.read_bytes() != self.whole.student.read_bytes():
            found.append("another student than the undisturbed run")
        return found


def fork_worker(run: RunFolder, *, prepare: Callable[[], None] | None = None) -> int:
    """Start a run's worker as a copy of this process, which spares the seconds that importing torch takes.

    Args:
        run: to work on.
        prepare: is called in the new process first; here faults are built in.

    Returns:
        The process number.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        log = os.open(run.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if prepare:
            prepare()
        sys.argv = ["worker", str(run.path)]
        code = worker.main()
    finally:
        os._exit(code)


def wait_for(pid: int, seconds: float = LONGEST) -> int:
    """Wait for a process and return how it ended; one that takes too long is killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.01)
    os.kill(pid, 9)
    return os.waitpid(pid, 0)[1]


def figures(run: RunFolder) -> list[dict[str, Any]]:
    """Return a run's curves and final figures without what a clock says."""
    history = run.history()
    events = [*history.steps, *history.epochs, history.facts.get("final", {})]
    return [{name: value for name, value in event.items() if name not in CLOCKED} for event in events]


def after_a_fault(run: RunFolder, seen: bytes) -> list[str]:
    """Check what must hold of a run whose process has just been killed.

    Args:
        run: the run.
        seen: its journal as somebody had read it before; whole lines of it must still be there.

    Returns:
        What does not hold.
    """
    found = []
    whole = seen[: seen.rfind(b"\n") + 1]
    if not run.journal.path.read_bytes().startswith(whole):
        found.append("a reported metric is missing")
    if run.is_live():
        found.append(f"shown as {run.last_state()['state']} though nobody works on it")
    if kept := checkpoints(run.checkpoint_folder):
        try:
            _, damaged = latest_checkpoint(run.checkpoint_folder)
            if damaged:
                found.append(f"{damaged[0]} under its final name is not whole")
        except PursuhintError as error:
            found.append(f"none of {len(kept)} checkpoints loads: {error}")
    return found


def follows_the_table(run: RunFolder) -> list[str]:
    """Check that every state of a journal follows from the one before, and that time never goes back."""
    found, current, latest = [], None, 0.0
    for event in run.journal.read()[0]:
        if event["time"] < latest:
            found.append("a time that goes back")
        latest = event["time"]
        if event["kind"] == "state":
            try:
                transition(current, event["state"])
            except PursuhintError as error:
                found.append(str(error))
            current = event["state"]
    return found
