"""What earlier work left in the data folder: listed, found again, kept below a size, cleared."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pursuhint.analysis.folder import IMAGE_MAPS, AnalysisFolder
from pursuhint.analysis.requests import list_analyses
from pursuhint.errors import InputError, PursuhintError, unknown
from pursuhint.files import is_locked, read_json
from pursuhint.home import analyses_folder, images_folder, targets_folder
from pursuhint.jobs import JobFolder

LIMIT_VARIABLE = "PURSUHINT_CACHE_GB"
DEFAULT_LIMIT_GB = 20.0
ABANDONED_AFTER = 600.0
"""Seconds without a write after which a half decoded image folder is nobody's."""


@dataclass(frozen=True)
class Kept:
    """One thing that can be made again from its source.

    Attributes:
        kind: an analysis, an image folder decoded once, or what a teacher said of training images.
        id: the name of its folder.
        path: its folder.
        what: what it is of, in words.
        bytes: on disk.
        used: when it was last used, seconds since 1970.
        busy: whether a process works on it.
    """

    kind: Literal["analysis", "images", "targets"]
    id: str
    path: Path
    what: str
    bytes: int
    used: float
    busy: bool = False


def kept() -> list[Kept]:
    """Return everything that is kept, the latest used first."""
    return sorted([*_analyses(), *_images(), *_targets()], key=lambda one: -one.used)


def size_limit() -> int:
    """Return the bytes that may be kept: ``PURSUHINT_CACHE_GB``, 20 without it.

    Raises:
        InputError: the variable is no number of at least 0.
    """
    text = os.environ.get(LIMIT_VARIABLE, "")
    try:
        gigabytes = float(text) if text else DEFAULT_LIMIT_GB
    except ValueError:
        gigabytes = -1.0
    if not 0 <= gigabytes < float("inf"):
        raise InputError(f"`{LIMIT_VARIABLE}` must be a number of gigabytes, 0 or more; found `{text}`")
    return int(gigabytes * 1e9)


def trim(*, spare: Path) -> list[Kept]:
    """Remove what was not used for longest until the rest is below the limit.

    Args:
        spare: what is being used now; like everything a process works on, it stays.

    Returns:
        What was removed.
    """
    found, limit, removed = kept(), size_limit(), []
    total = sum(one.bytes for one in found)
    for one in reversed(found):
        if total <= limit:
            break
        if one.path != spare and not one.busy:
            remove(one)
            removed.append(one)
            total -= one.bytes
    return removed


def clear(ids: list[str] | None = None) -> list[Kept]:
    """Remove what is named, or everything; what a process works on stays.

    Args:
        ids: of `kept`; None: all.

    Returns:
        What was removed.

    Raises:
        InputError: an id names nothing, or a process works on it.
    """
    found = {one.id: one for one in kept()}
    for name in ids or ():
        if name not in found:
            raise unknown("kept work", name, found)
        if found[name].busy:
            raise InputError(f"a process works on `{name}`; wait for it or stop it first")
    wanted = [one for one in found.values() if not one.busy and (ids is None or one.id in ids)]
    for one in wanted:
        remove(one)
    return wanted


def remove(one: Kept) -> None:
    """Delete one thing. It is renamed first, so that nobody ever opens half of it."""
    grave = one.path.with_name(f".{one.id}.removed-{os.getpid()}")
    try:
        one.path.rename(grave)
    except OSError as error:
        raise PursuhintError(f"cannot remove `{one.path}`: {error.strerror}; check its rights") from error
    shutil.rmtree(grave, ignore_errors=True)


def find_twin(key: str, *, besides: Path) -> AnalysisFolder | None:
    """Return another analysis with whole features of the same content, if there is one.

    Args:
        key: see `pursuhint.analysis.requests.content_key`.
        besides: the analysis that is being made.
    """
    for folder in list_analyses(analyses_folder()):
        with suppress(PursuhintError):
            if folder.path != besides and folder.is_ready and folder.card.key == key and not folder.damaged():
                return folder
    return None


def _analyses() -> Iterator[Kept]:
    for folder in list_analyses(analyses_folder()):
        what = "unreadable"
        with suppress(PursuhintError, ValueError):
            settings = folder.analysis_settings
            what = f"{settings.teacher} on {settings.data}, {settings.pooling}"
        jobs = (folder, JobFolder(folder.path / IMAGE_MAPS))
        busy = any(job.journal.path.is_file() and job.is_live() for job in jobs)
        used = (folder.path / "settings.json").stat().st_mtime
        yield Kept("analysis", folder.id, folder.path, what, _size(folder.path), used, busy)


def _images() -> Iterator[Kept]:
    base = images_folder()
    for path in base.iterdir() if base.is_dir() else ():
        card = path / "images.json"
        if path.name.startswith(".") or not path.is_dir():
            continue
        with suppress(InputError, KeyError, TypeError):
            what = str(read_json(card)["source"]) if card.is_file() else "being decoded, or half decoded"
            used = (card if card.is_file() else path).stat().st_mtime
            busy = not card.is_file() and _written_lately(path)
            yield Kept("images", path.name, path, what, _size(path), used, busy)


def _targets() -> Iterator[Kept]:
    base = targets_folder()
    for path in base.iterdir() if base.is_dir() else ():
        if path.name.startswith(".") or not path.is_dir():
            continue
        card, what = path / "targets.json", "unreadable"
        with suppress(InputError, KeyError, TypeError):
            content = read_json(card)
            views = f"{content['views']} view" + "s" * (content["views"] != 1)
            what = f"{content['teacher']} on {content['data']}, {views}"
        used = (card if card.is_file() else path).stat().st_mtime
        yield Kept("targets", path.name, path, what, _size(path), used, is_locked(path / "lock"))


def _written_lately(folder: Path) -> bool:
    """Say whether somebody seems to be writing here; what a killed process left is old after a while."""
    times = [path.stat().st_mtime for path in (folder, *folder.iterdir())]
    return time.time() - max(times) < ABANDONED_AFTER


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # others may work here
            size += path.stat().st_size if path.is_file() else 0
    return size
