"""The queue of this machine: who trains on which device, and who waits, in the order of asking.

Files and locks, no service. Whoever wants a device puts a numbered ticket into its folder and keeps it locked
for as long as it lives; the first tickets hold the device, the others wait. A process that dies lets go of
its ticket, so nothing has to be cleaned up before the next one goes on.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pursuhint.errors import InputError, StopRequested, StorageError
from pursuhint.files import locked, open_to_lock
from pursuhint.home import home

SLOTS_VARIABLE = "PURSUHINT_RUNS_AT_ONCE"
"""How many runs may train on a device at the same time; 1 when it is not set."""
EVERY = 0.5
"""Seconds between two looks at the queue."""
ACCELERATORS = (Path("/dev/nvidiactl"), Path("/dev/kfd"))
"""Device files of the drivers of NVIDIA and AMD."""


@dataclass(frozen=True)
class Place:
    """Where a run stands in the queue.

    Attributes:
        device: that it wants.
        before: ids of the runs that asked for it earlier and are not done, the first one first.
        free: whether the device is free for it all the same.
    """

    device: str
    before: tuple[str, ...]
    free: bool

    @property
    def text(self) -> str:
        """The place in words.

        Example:
            >>> Place("cpu", ("a", "b"), free=False).text
            'waits for `cpu`: 2 runs before it, first a'
        """
        number = len(self.before)
        return (
            f"waits for `{self.device}`: {number} run{'s' * (number != 1)} before it, first {self.before[0]}"
        )


def queue_device(name: str) -> str:
    """Return under which name the runs of a device queue.

    ``auto`` is the first GPU where a driver is there: asking torch would cost every run that waits 200 MB.

    Args:
        name: as in the settings of a run.

    Example:
        >>> queue_device("cuda"), queue_device("cpu")
        ('cuda:0', 'cpu')
    """
    if name == "auto":
        name = "cuda" if any(path.exists() for path in ACCELERATORS) else "cpu"
    return f"{name}:0" if name in ("cuda", "mps", "xpu") else name


def slots() -> int:
    """Return how many runs may train on a device at the same time.

    Raises:
        InputError: the variable holds no number above 0.
    """
    given = os.environ.get(SLOTS_VARIABLE, "1")
    if not given.isdecimal() or int(given) < 1:
        raise InputError(f"`{SLOTS_VARIABLE}` must be a whole number above 0; found `{given}`")
    return int(given)


@contextmanager
def turn(
    run: str,
    device: str,
    *,
    waiting: Callable[[Place], None],
    stop_asked: Callable[[], bool],
    now: bool = False,
) -> Iterator[None]:
    """Wait until a run may have a device, and keep it while the block runs.

    Args:
        run: its id.
        device: from `queue_device`.
        waiting: is told once, when the run has to wait.
        stop_asked: asked while it waits.
        now: take the device at once, beside whoever has it; those who come later wait for this run too.

    Raises:
        StopRequested: it was asked to stop while it waited.
        StorageError: the queue's folder cannot be written.
    """
    with _ticket(run, device) as ticket:
        told = False
        while not (now or (place := _place(ticket, device)).free):
            if not told:
                waiting(place)
                told = True
            if stop_asked():
                raise StopRequested("stopped while it waited for its turn")
            time.sleep(EVERY)
        yield


def place_of(run: str, device: str) -> Place | None:
    """Return where a run stands; None when it holds no ticket for the device."""
    tickets = _tickets(_folder(device))
    mine = next((path for path in tickets if _run_of(path) == run), None)
    return _place(mine, device) if mine else None


@contextmanager
def _ticket(run: str, device: str) -> Iterator[Path]:
    folder = _folder(device)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot write `{folder}`: {error.strerror}; set PURSUHINT_HOME to a folder that can be written"
        ) from error
    with locked(folder / "lock"):
        _sweep(folder)
        last = max((_number(path) for path in _tickets(folder)), default=0)
        path = folder / f"{last + 1:08d}-{run}"
        held = open_to_lock(path)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        held.close()


def _place(ticket: Path, device: str) -> Place:
    others = [path for path in _tickets(ticket.parent) if path.name < ticket.name and _is_held(path)]
    return Place(device, tuple(_run_of(path) for path in others), free=len(others) < slots())


def _sweep(folder: Path) -> None:
    """Remove the tickets of processes that have ended; within the queue's lock."""
    for path in _tickets(folder):
        if not _is_held(path):
            path.unlink(missing_ok=True)


def _is_held(path: Path) -> bool:
    with suppress(FileNotFoundError), open(path) as file:
        try:
            # Shared, so that two who look at the same time do not take each other for its owner.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _tickets(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*-*") if path.name[:8].isdecimal())


def _number(ticket: Path) -> int:
    return int(ticket.name[:8])


def _run_of(ticket: Path) -> str:
    return ticket.name[9:]


def _folder(device: str) -> Path:
    return home() / "queue" / re.sub(r"[^a-z0-9]+", "-", device)
