"""A job's folder: settings, journal, log, lock. The folder is the truth; processes come and go."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any

from pursuhint.errors import InputError, PursuhintError, StorageError
from pursuhint.files import locked, open_to_lock, read_json, write_bytes, write_json
from pursuhint.formats import check_version
from pursuhint.jobs.journal import Event, Journal
from pursuhint.jobs.log_lines import stamped
from pursuhint.jobs.processes import identity, lives
from pursuhint.jobs.transitions import ENDED, LIVE, State, transition

VERSION = 1
"""Of a job's folder: its settings, its journal and what lies beside them."""
SETTLE = 5.0
"""Seconds for which a process that has just ended may still hold its lock."""
WHO = ("pid", "born", "ticks", "boot", "own", "asked_by")
"""What a change of state says of the process that works on the job."""
RESERVED = 1 << 16
"""Bytes kept aside while a process works, so that a job that fills the disk can still say so."""


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
        self.write_settings(settings)

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Write the settings, with the version of all that the folder holds; it is made if need be."""
        write_json(self.path / "settings.json", {"version": VERSION, **settings})

    def settings(self) -> dict[str, Any]:
        """Return the settings as written by `write_settings`.

        Raises:
            InputError: they are damaged, or a newer program wrote the folder.
        """
        content = read_json(self.path / "settings.json")
        if not isinstance(content, dict):
            raise InputError(f"`{self.path / 'settings.json'}` must hold settings by name; was it edited?")
        check_version(content, VERSION, "a job", source=str(self.path))
        return {name: value for name, value in content.items() if name != "version"}

    # -- state -----------------------------------------------------------------------------------------------

    def set_state(self, state: State, *, reason: str = "", **fields: Any) -> None:
        """Append a change of state with its reason, if `pursuhint.jobs.transitions` has a way to it.

        Raises:
            PursuhintError: there is none from where the job is.
            StorageError: the journal cannot be written.
        """
        with self.changing():
            self.change(state, reason=reason, **fields)

    def changing(self) -> AbstractContextManager[None]:
        """Keep every other process from changing the state meanwhile."""
        return locked(self.path / "start.lock")

    def change(self, state: State, *, reason: str = "", **fields: Any) -> None:
        """Do what `set_state` does, within `changing`."""
        last = self.journal.last("state")
        current = last["state"] if last else None
        if current in LIVE and state in ("queued", "running") and _was_left(last, state):
            self._note(current, "lost", reason=_ended_without_a_word(last))
            current = "lost"
        self._note(current, state, reason=reason, **fields)

    def _note(self, current: State | None, state: State, **fields: Any) -> None:
        way = transition(current, state, job=self.id)
        reserve = self.path / "reserve"
        try:
            self.journal.append("state", state=state, transition=way.name, **fields)
        except StorageError:
            if not reserve.is_file():
                raise
            reserve.unlink()
            self.journal.append("state", state=state, transition=way.name, **fields)
        if state in ENDED:
            reserve.unlink(missing_ok=True)

    def last_state(self, events: list[Event] | None = None) -> Event:
        """Return the latest change of state; a job whose process is gone is ``lost``, whatever it last wrote.

        Args:
            events: the journal, or its changes of state, when they are already at hand.
        """
        if events is None:
            last = self.journal.last("state")
        else:
            last = next((event for event in reversed(events) if event["kind"] == "state"), None)
        if last is None:
            return {"state": "lost", "reason": "the job never started", "time": 0.0, "pid": None}
        if last["state"] in LIVE and not _somebody_works(last):
            return last | {"state": "lost", "reason": _ended_without_a_word(last)}
        return last

    def is_live(self) -> bool:
        """Say whether a process works on it or is about to."""
        return self.last_state()["state"] in LIVE

    # -- start and stop --------------------------------------------------------------------------------------

    def start(self, module: str, *options: str, threads: int | None = None) -> int:
        """Start a worker ``python -m module FOLDER`` in a session of its own, below normal priority.

        Starting a job that is live does nothing.

        Args:
            module: of the worker.
            options: that follow the folder on its command line.
            threads: that it computes with; None leaves that to it.

        Returns:
            The worker's process number.

        Raises:
            PursuhintError: the process cannot be started.
        """
        with self.changing():
            state = self.last_state()
            if state["state"] in LIVE and state.get("pid"):
                return state["pid"]
            (self.path / "stop").unlink(missing_ok=True)
            # Until the worker's number is written down, the job is live as long as whoever asked for it.
            self.change("queued", reason="asked to start", asked_by=identity())
            environment = os.environ | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
            try:
                with open(self.log, "ab") as log:
                    worker = spawn(module, str(self.path), *options, output=log, environment=environment)
            except OSError as error:
                self.change("failed", reason=f"no worker could be started: {error.strerror}")
                raise PursuhintError(f"cannot start a worker: {error.strerror}; see `{self.log}`") from error
            self.change("queued", reason="worker starting", own=True, **identity(worker.pid))
            # Whoever collects it must come after its birth was read. A thread: the app never waits, and
            # an ended worker that nobody collects would stay as a zombie for as long as the app runs.
            Thread(target=worker.wait, name=f"waits for {self.id}", daemon=True).start()
            return worker.pid

    @contextmanager
    def claim(self, *, own: bool = False) -> Iterator[None]:
        """Hold the job and begin it, see `hold` and `begin`."""
        with self.hold():
            self.begin(own=own)
            yield

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep every other process from working on the job.

        Raises:
            PursuhintError: another process holds it.
            StorageError: the folder cannot be written.
        """
        with open_to_lock(self.path / "lock") as file:
            self._lock(file)
            yield

    def begin(self, *, own: bool = False) -> None:
        """Say that this process works on the job from now on.

        Args:
            own: the process is there for this job alone, so that it may be ended when it does not stop;
                what `start` has started is.
        """
        with self.changing():  # after whoever started this process has written its number down
            last = self.last_state()
            if last["state"] not in LIVE:
                (self.path / "stop").unlink(missing_ok=True)  # meant for whoever worked on it before
            with suppress(StorageError):
                write_bytes(self.path / "reserve", bytes(RESERVED))
            state: State = "stopping" if self.stop_asked() else "running"
            self.change(state, **self.myself(own=own))

    def myself(self, *, own: bool = False) -> dict[str, Any]:
        """Return what a change of state says of this process.

        Args:
            own: see `begin`.
        """
        last = self.journal.last("state") or {}
        started = last.get("pid") == os.getpid() and last.get("own", False)
        return {"own": own or started, **identity()}

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
            log.write(stamped("".join(traceback.format_exception(error)), self.id))
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        self.set_state("failed", reason=reason)
        return PursuhintError(f"`{self.id}` failed: {reason}; see `{self.log}`")

    def ask_to_stop(self) -> bool:
        """Leave a request that the worker finds before its next step; asking twice is asking once.

        Returns:
            Whether this was the first request to a job that is live.
        """
        with self.changing():
            last = self.last_state()
            if last["state"] not in LIVE or self.stop_asked():
                return False
            (self.path / "stop").touch()
            who = {name: last[name] for name in WHO if name in last}
            if last["state"] != "stopping":
                self.change("stopping", reason="asked to stop", **who)
            return True

    def stop_asked(self) -> bool:
        """Say whether a request to stop is waiting."""
        return (self.path / "stop").exists()


def spawn(
    module: str,
    *arguments: str,
    output: IO[bytes] | int,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``python -m module ARGUMENTS`` in a session of its own, which outlives this process.

    Args:
        module: to run.
        arguments: of its command line.
        output: where it prints.
        environment: of the process; this one's when None.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=environment,
    )


def _somebody_works(last: Event) -> bool:
    return lives(last if last.get("pid") else last.get("asked_by", {}))


def _was_left(last: Event, state: State) -> bool:
    """Say whether nobody works on a live job any more, or this very process begins it a second time."""
    again = state == "running" and last["state"] != "queued" and last.get("pid") == os.getpid()
    return again or not _somebody_works(last)


def _ended_without_a_word(last: Event) -> str:
    return f"its process ended without a word while {last['state']}; see the log, then resume"
