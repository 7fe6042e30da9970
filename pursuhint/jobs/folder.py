"""A job's folder: settings, journal, log, lock. The folder is the truth; processes come and go."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any, Literal

import psutil

from pursuhint.errors import InputError, PursuhintError
from pursuhint.files import read_json, write_json
from pursuhint.jobs.journal import Event, Journal

State = Literal["queued", "running", "stopping", "stopped", "finished", "failed", "lost"]
LIVE: tuple[State, ...] = ("queued", "running", "stopping")
GRACE = 10.0
"""Seconds a job gets to write its checkpoint after it was asked to stop."""
SETTLE = 5.0
"""Seconds between the request for a process and the entry with its number."""


class JobFolder:
    """One job on disk, as the app, the command line and the worker see it.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.journal = Journal(self.path / "journal.jsonl")

    @property
    def id(self) -> str:
        """The folder's name, by which the job is called."""
        return self.path.name

    @property
    def log(self) -> Path:
        """What the worker printed."""
        return self.path / "log.txt"

    def log_tail(self, most: int) -> str:
        """Return the end of what the worker printed, from the beginning of a line, at most so many bytes."""
        try:
            with open(self.log, "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - most))
                text = file.read().decode(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return text if size <= most else text.partition("\n")[2]

    def create(self, settings: dict[str, Any]) -> None:
        """Make the folder with its settings.

        Raises:
            InputError: a job of that name exists.
        """
        if (self.path / "settings.json").exists():
            raise InputError(f"a job already exists in `{self.path}`; choose another name or delete it")
        write_json(self.path / "settings.json", settings)

    def settings(self) -> dict[str, Any]:
        """Return the settings as written by `create`."""
        return read_json(self.path / "settings.json")

    # -- state -----------------------------------------------------------------------------------------------

    def set_state(self, state: State, *, reason: str = "", **fields: Any) -> None:
        """Append a change of state with its reason."""
        self.journal.append("state", state=state, reason=reason, **fields)

    def last_state(self, events: list[Event] | None = None) -> Event:
        """Return the latest change of state; a job whose process is gone is ``lost``, whatever it last wrote.

        Args:
            events: the journal when it is already at hand.
        """
        if events is None:
            events, _ = self.journal.read()
        states = [event for event in events if event["kind"] == "state"]
        while len(states) > 1 and states[-1]["state"] == "stopping" and states[-2]["state"] not in LIVE:
            states.pop()  # the request to stop came when the job had just ended
        last = states[-1] if states else None
        if last is None:
            return {"state": "lost", "reason": "the job never started", "time": 0.0, "pid": None}
        if last["state"] in LIVE and not self._process_lives(last):
            reason = f"its process ended without a word while {last['state']}; see the log, then resume"
            return last | {"state": "lost", "reason": reason}
        return last

    def is_live(self) -> bool:
        """Say whether a process works on it or is about to."""
        return self.last_state()["state"] in LIVE

    @staticmethod
    def _process_lives(state: Event) -> bool:
        pid = state.get("pid")
        if pid is None:
            return time.time() - state["time"] < SETTLE
        try:
            process = psutil.Process(pid)
            alive = process.status() != psutil.STATUS_ZOMBIE
            return alive and abs(process.create_time() - state["born"]) < 2.0
        except psutil.NoSuchProcess:
            return False

    # -- start and stop --------------------------------------------------------------------------------------

    def start(self, module: str, *, threads: int | None = None) -> int:
        """Start a worker ``python -m module FOLDER`` in a session of its own, below normal priority.

        Starting a job that is live does nothing.

        Returns:
            The worker's process number.

        Raises:
            PursuhintError: the process cannot be started.
        """
        with self._starting():
            state = self.last_state()
            if state["state"] in LIVE and state.get("pid"):
                return state["pid"]
            (self.path / "stop").unlink(missing_ok=True)
            self.set_state("queued", reason="asked to start")
            environment = os.environ | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
            try:
                with open(self.log, "ab") as log:
                    worker = subprocess.Popen(
                        [sys.executable, "-m", module, str(self.path)],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                        env=environment,
                    )
            except OSError as error:
                self.set_state("failed", reason=f"no worker could be started: {error.strerror}")
                raise PursuhintError(f"cannot start a worker: {error.strerror}; see `{self.log}`") from error
            born = psutil.Process(worker.pid).create_time()
            self.set_state("queued", reason="worker starting", pid=worker.pid, born=born)
            # Whoever collects it must come after its birth was read. A thread: the app never waits, and
            # an ended worker that nobody collects would stay as a zombie for as long as the app runs.
            Thread(target=worker.wait, name=f"waits for {self.id}", daemon=True).start()
            return worker.pid

    @contextmanager
    def _starting(self) -> Iterator[None]:
        with open(self.path / "start.lock", "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Hold the job for this process while it works on it.

        Raises:
            PursuhintError: another process holds it.
        """
        with open(self.path / "lock", "a") as file:
            self._lock(file)
            process = psutil.Process()
            with self._starting():  # after whoever started this process has written its number down
                state: State = "stopping" if self.stop_asked() else "running"
                self.set_state(state, pid=process.pid, born=process.create_time())
            yield

    def _lock(self, file: IO[str]) -> None:
        """Take the lock; a process that has just ended may hold it for a moment longer."""
        deadline = time.monotonic() + SETTLE
        while True:
            try:
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self.is_live() or time.monotonic() > deadline:
                    raise PursuhintError(
                        f"another process already works on `{self.id}`; wait for it or stop it"
                    ) from None
            time.sleep(0.05)

    def fail(self, error: Exception) -> PursuhintError:
        """Record an error that nobody foresaw, with its traceback in the log.

        Returns:
            The error to raise in its place.
        """
        with open(self.log, "a", encoding="utf-8") as log:
            traceback.print_exception(error, file=log)
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        self.set_state("failed", reason=reason)
        return PursuhintError(f"`{self.id}` failed: {reason}; see `{self.log}`")

    def ask_to_stop(self) -> None:
        """Leave a request that the worker finds before its next step; asking twice is asking once."""
        if self.is_live() and not self.stop_asked():
            (self.path / "stop").touch()
            last = self.last_state()
            self.set_state("stopping", reason="asked to stop", pid=last.get("pid"), born=last.get("born"))

    def stop_asked(self) -> bool:
        """Say whether a request to stop is waiting."""
        return (self.path / "stop").exists()

    def stop(self, *, grace: float = GRACE) -> Event:
        """Stop the job: ask, then after `grace` seconds terminate, then kill.

        Returns:
            The state it ended in.
        """
        self.ask_to_stop()
        for signal_number, patience in ((None, grace), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0)):
            state = self.last_state()
            if state["state"] not in LIVE:
                break
            if signal_number and state.get("pid"):
                _signal(state["pid"], signal_number)
            deadline = time.monotonic() + patience
            while self.is_live() and time.monotonic() < deadline:
                time.sleep(0.05)
        return self.last_state()


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
