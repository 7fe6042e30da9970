"""What runs leave behind that nobody needs any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pursuhint.files import is_locked
from pursuhint.runs.folder import RunFolder


@dataclass(frozen=True)
class Leftover:
    """A file that can go.

    Attributes:
        run: the id of its run.
        path: the file.
        bytes: its size.
        why: it can go, in words.
    """

    run: str
    path: Path
    bytes: int
    why: str


def leftovers(runs: Iterable[RunFolder]) -> list[Leftover]:
    """Find files of runs that nobody works on: parts of files, and checkpoints that nobody will go on from.

    Args:
        runs: to look at; one that a process works on is left alone.
    """
    return [one for run in runs if not is_locked(run.path / "lock") for one in _of(run)]


def remove_leftovers(found: Iterable[Leftover]) -> int:
    """Remove files that `leftovers` found and return how many bytes that freed."""
    freed = 0
    for one in found:
        with suppress(FileNotFoundError):
            one.path.unlink()
            freed += one.bytes
    return freed


def _of(run: RunFolder) -> Iterator[Leftover]:
    state = run.last_state()["state"]
    for path in sorted(path for path in run.path.rglob("*") if path.is_file()):
        why = ""
        if _is_part(path):
            why = "part of a file whose writer was killed"
        elif path.name == "reserve":
            why = "space that a killed process had kept aside"
        elif state == "finished" and path.parent == run.checkpoint_folder:
            why = "checkpoint of a finished run"
        if why:
            yield Leftover(run.id, path, path.stat().st_size, why)


def _is_part(path: Path) -> bool:
    """Say whether `pursuhint.files.write_atomic` was writing here: ``.NAME.RANDOM`` beside ``NAME``."""
    return path.name.startswith(".") and len(path.suffix) == 9
