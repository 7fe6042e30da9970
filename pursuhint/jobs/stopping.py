"""Stopping a job: ask, then terminate, then kill; ``python -m pursuhint.jobs.stopping FOLDER`` does it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

from pursuhint.jobs.folder import JobFolder, spawn
from pursuhint.jobs.journal import Event
from pursuhint.jobs.processes import lives
from pursuhint.jobs.transitions import LIVE

ASKED, TERMINATED, KILLED = 5.0, 3.0, 2.0
"""Seconds that a job gets after it was asked, sent SIGTERM and sent SIGKILL: ten in all."""


def stop(job: JobFolder, *, grace: float | None = None) -> Event:
    """Stop a job: ask, then after some seconds terminate, then kill; returns when it has ended.

    A process that does something else as well, such as a notebook's, is asked and never ended.

    Args:
        job: to stop.
        grace: seconds that it gets to stop by itself; `ASKED` when None.

    Returns:
        The state it ended in; a live one when it went on all the same.
    """
    began, signalled = time.monotonic(), False
    job.ask_to_stop()
    grace = ASKED if grace is None else grace
    for number, patience in ((None, grace), (signal.SIGTERM, TERMINATED), (signal.SIGKILL, KILLED)):
        state = job.last_state()
        if state["state"] not in LIVE:
            break
        if number:
            signalled |= _signal(state, number)
        deadline = time.monotonic() + patience
        while job.is_live() and time.monotonic() < deadline:
            time.sleep(0.05)
    if signalled:
        _write_down(job, time.monotonic() - began)
    return job.last_state()


def stop_soon(job: JobFolder) -> None:
    """Ask a job to stop and return at once; a process of its own ends it if it does not listen."""
    if job.ask_to_stop():
        stopper = spawn("pursuhint.jobs.stopping", str(job.path), output=subprocess.DEVNULL)
        Thread(target=stopper.wait, name=f"waits for the end of {job.id}", daemon=True).start()


def _signal(state: Event, number: int) -> bool:
    """Send a signal to the process of a job if it may be ended; says whether it may."""
    pid = state.get("pid")
    if not state.get("own") or not lives(state):
        return False
    with suppress(ProcessLookupError, PermissionError):
        if number == signal.SIGKILL and os.getsid(pid) == pid:
            os.killpg(pid, number)  # with the helpers that it started
        else:
            os.kill(pid, number)
    return True


def _write_down(job: JobFolder, seconds: float) -> None:
    """Record the end of a process that could not do so itself."""
    with job.changing():
        last = job.journal.last("state")
        if last and last["state"] == "stopping" and not lives(last):
            reason = f"ended after {seconds:.0f} s without an answer; it goes on from its newest checkpoint"
            job.change("stopped", reason=reason)


def main() -> int:
    """Stop the job of the folder named on the command line."""
    stop(JobFolder(Path(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
