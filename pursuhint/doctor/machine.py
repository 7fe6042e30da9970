"""The machine: versions, devices, memory, disk, and whether the data folder can be written."""

from __future__ import annotations

import fcntl
import os
import platform
import tempfile
from importlib.metadata import PackageNotFoundError, requires, version

import psutil
from packaging.requirements import Requirement

from pursuhint.disk_use import disk_use
from pursuhint.doctor.finding import Finding, by_amount
from pursuhint.files import in_bytes
from pursuhint.home import home
from pursuhint.runs.queue import ACCELERATORS

SHOWN = ("pursuhint", "torch", "torchvision", "lightning-fabric", "streamlit", "numpy")
MEMORY = {"enough": 2e9, "least": 5e8}
"""Bytes: a training on small images takes about one gigabyte."""
DISK = {"enough": 5e9, "least": 5e8}
"""Bytes: runs stop where a checkpoint cannot be written."""


def versions() -> Finding:
    """Look whether every package is there in a version that the library runs on."""
    wrong = []
    for line in requires("pursuhint") or ():
        needed = Requirement(line)
        if needed.marker and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            wrong.append(f"{needed.name} is missing")
            continue
        if not needed.specifier.contains(found, prereleases=True):
            wrong.append(f"{needed.name} is {found}, not {needed.specifier}")
    if wrong:
        return Finding("versions", "problem", "; ".join(wrong), "let `make app` put the environment in order")
    shown = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    return Finding("versions", "ok", f"Python {platform.python_version()}, {shown}")


def devices() -> Finding:
    """Look what torch can compute on; imports torch, which takes seconds."""
    import torch

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = f"{usable} CPU cores"
    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
        told = [
            f"cuda:{number} {card.name}, {in_bytes(card.total_memory)}" for number, card in enumerate(cards)
        ]
        return Finding("devices", "ok", "; ".join([cores, *told]))
    if torch.accelerator.is_available():
        return Finding("devices", "ok", f"{cores}; {torch.accelerator.current_accelerator()}")
    if any(path.exists() for path in ACCELERATORS):
        return Finding(
            "devices",
            "warning",
            f"{cores}; a GPU's driver is there, and torch {torch.__version__} cannot use the GPU",
            "install a build of torch for that driver (pytorch.org), or choose `--device cpu`",
        )
    return Finding("devices", "ok", f"{cores}; no GPU")


def memory() -> Finding:
    """Look how much memory is free."""
    found = psutil.virtual_memory()
    text = f"{in_bytes(found.available)} of {in_bytes(found.total)} free"
    return by_amount("memory", found.available, text, "end other programs, or use smaller batches", **MEMORY)


def disk() -> Finding:
    """Look what the data folder takes and how much is free beside it."""
    use = disk_use()
    advice = "free some: `pursuhint runs gc`, `pursuhint cache clear --all`, `pursuhint runs delete RUN`"
    return by_amount("disk", use.free, use.text, advice, **DISK)


def write_access() -> Finding:
    """Look whether the data folder can be written and files in it locked, by doing both."""
    place = home()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"written")
            file.flush()
            os.fsync(file.fileno())
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        advice = "make it writable, or set PURSUHINT_HOME to a folder on a local disk that is"
        return Finding("data folder", "problem", f"`{place}`: {error.strerror or error}", advice)
    return Finding("data folder", "ok", f"`{place}` can be written and locked")
