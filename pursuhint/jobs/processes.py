"""Which process that was: a number alone says little, the system gives it to another program later."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

SAME_BIRTH = 2.0
"""Seconds by which two readings of a process's birth may differ where only the wall clock tells it."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def identity(pid: int | None = None) -> dict[str, Any]:
    """Return what tells a process from every other one, before and after it; this one when None.

    Linux counts a process's start in ticks since the machine was started, which no change of the clock moves,
    and names each start of the machine; elsewhere its time of birth has to do.

    Returns:
        ``pid``, ``born`` (seconds since 1970) and on Linux ``ticks`` and ``boot``.

    Raises:
        psutil.NoSuchProcess: there is none of that number.

    Example:
        >>> identity()["pid"] == os.getpid()
        True
    """
    pid = os.getpid() if pid is None else pid
    found: dict[str, Any] = {"pid": pid, "born": psutil.Process(pid).create_time()}
    if (boot := boot_id()) and (started := _started(pid)):
        found |= {"ticks": started, "boot": boot}
    return found


def lives(who: Mapping[str, Any]) -> bool:
    """Say whether that very process is still there and no zombie.

    Args:
        who: an `identity`; nobody lives under an empty one.

    Example:
        >>> lives(identity()), lives(identity() | {"ticks": 1, "born": 1.0}), lives({})
        (True, False, False)
    """
    pid = who.get("pid")
    if pid is None:
        return False
    if "boot" in who:
        return who["boot"] == boot_id() and who["ticks"] == _started(pid)
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and abs(process.create_time() - who["born"]) < SAME_BIRTH
    except psutil.NoSuchProcess:
        return False


def boot_id() -> str | None:
    """Return the name of this start of the machine; None where the system gives none."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return None


def _started(pid: int) -> int | None:
    """Return a process's start in ticks since the machine's; None when it has ended, a zombie included."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the program's name before it may hold anything
    return None if fields[0] in "ZX" else int(fields[19])
