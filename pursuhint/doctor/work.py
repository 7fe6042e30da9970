"""The work: runs that cannot be read or have died, processes that nobody knows of, the tracker."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from pursuhint.doctor.finding import Finding
from pursuhint.errors import PursuhintError
from pursuhint.files import in_bytes
from pursuhint.home import home
from pursuhint.jobs import LIVE, JobFolder
from pursuhint.runs.folder import list_runs
from pursuhint.runs.leftovers import leftovers

TRACKER_VARIABLE = "MLFLOW_TRACKING_URI"
PATIENCE = 1.0
"""Seconds for which the tracker may let us wait."""
PORTS = {"http": 80, "https": 443}
WORKERS = ("pursuhint.runs.worker", "pursuhint.analysis.worker", "pursuhint.runs.examine")
"""Modules that work on the folder named behind them."""
MOST_NAMED = 3


def runs() -> Finding:
    """Look which runs are lost or cannot be read."""
    found = list_runs()
    lost, closed = [], []
    for run in found:
        try:
            _ = run.run_settings
            if run.last_state()["state"] == "lost":
                lost.append(run.id)
        except PursuhintError:
            closed.append(run.id)
    said = [f"{len(found)} runs"]
    advice = []
    if closed:
        said.append(f"{len(closed)} cannot be read ({_named(closed)})")
        advice.append("see `pursuhint runs show RUN` for why")
    if lost:
        said.append(f"{len(lost)} ended without a word ({_named(lost)})")
        advice.append("go on with `pursuhint runs resume RUN`, or delete it")
    return Finding("runs", "warning" if advice else "ok", "; ".join(said), "; ".join(advice))


def left_behind() -> Finding:
    """Look what `pursuhint runs gc` would free."""
    found = leftovers(list_runs())
    size = sum(one.bytes for one in found)
    if not found:
        return Finding("left behind", "ok", "nothing that nobody needs")
    return Finding("left behind", "ok", f"{in_bytes(size)} that `pursuhint runs gc` removes")


def processes() -> Finding:
    """Look for workers whose folder is gone, or says that nobody works on it any more."""
    known, orphans = 0, []
    for pid, folder in _workers():
        if _is_worked_on(folder, pid):
            known += 1
        else:
            orphans.append(str(pid))
    if orphans:
        numbers = " ".join(orphans)
        advice = f"nothing waits for what they do: `kill {numbers}`"
        return Finding(
            "processes", "warning", f"{len(orphans)} orphaned ({numbers}), {known} at work", advice
        )
    return Finding("processes", "ok", f"{known} at work, none orphaned")


def tracker() -> Finding:
    """Look whether the MLflow server that mirrors go to answers."""
    address = os.environ.get(TRACKER_VARIABLE, "")
    installed = find_spec("mlflow") is not None
    if not address:
        return Finding("tracker", "ok", "none set" if installed else "none set, MLflow is not installed")
    if not installed:
        advice = "`.venv/bin/python -m pip install 'mlflow>=3,<4'`, or unset it"
        return Finding(
            "tracker", "warning", f"`{TRACKER_VARIABLE}` is set, and MLflow is not installed", advice
        )
    parts = urlsplit(address)
    if parts.scheme not in PORTS or not parts.hostname:
        return Finding("tracker", "ok", f"`{parts.scheme or 'file'}`: no server to ask")
    try:
        port = parts.port or PORTS[parts.scheme]
        socket.create_connection((parts.hostname, port), timeout=PATIENCE).close()
    except (OSError, ValueError) as error:
        advice = "runs go on without it; `pursuhint runs mirror RUN` completes it later"
        return Finding("tracker", "warning", f"{parts.hostname} does not answer: {error}", advice)
    return Finding("tracker", "ok", f"{parts.hostname}:{port} answers")


def _workers() -> Iterator[tuple[int, Path]]:
    """Yield the processes that work in this data folder, with the folder that each was started on."""
    base = home().resolve()
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:  # it has ended, or is another user's
            continue
        for module, folder in zip(line[2:], line[3:], strict=False):
            if module in WORKERS and base in Path(folder).resolve().parents:
                yield process.pid, Path(folder)


def _is_worked_on(folder: Path, pid: int) -> bool:
    last = JobFolder(folder).last_state() if folder.is_dir() else {"state": "lost"}
    return last["state"] in LIVE and last.get("pid") in (pid, None)


def _named(ids: list[str]) -> str:
    more = len(ids) - MOST_NAMED
    return ", ".join(ids[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
