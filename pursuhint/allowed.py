"""Which folders a path may lie in that somebody typed into the app.

``PURSUHINT_ROOTS`` names them, joined as in PATH; the data folder is always one of them. Where it is not set,
every path is allowed: the app then serves the person at the machine, who can read these files anyway. Whoever
serves the app to others sets it. The command line is not confined.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pursuhint.errors import InputError
from pursuhint.home import home

VARIABLE = "PURSUHINT_ROOTS"
LONGEST_PATH = 4096
DEEPEST = 3
"""Levels below a folder in which links are looked for: ROOT/train/CLASS/IMAGE is as deep as data go."""


def roots() -> tuple[Path, ...] | None:
    """Return the folders that typed paths may lie in; None when all may be read."""
    given = os.environ.get(VARIABLE)
    if given is None:
        return None
    named = (Path(name).expanduser().resolve() for name in given.split(os.pathsep) if name)
    return (home().resolve(), *named)


def typed_path(text: str | Path) -> Path:
    """Return the file or folder that a typed path stands for, which need not exist.

    Links are followed before it is judged where the path lies, and a link inside a folder must not lead out.
    Whether something exists outside is not told.

    Args:
        text: the path, absolute or from the folder of the program; ``~`` is the home folder.

    Raises:
        InputError: it is no path, or leads out of the allowed folders.

    Example:
        >>> typed_path("/usr/../tmp/images").name
        'images'
    """
    path = _resolved(str(text).strip())
    allowed = roots()
    if allowed is None:
        return path
    if not _inside(path, allowed):
        listed = ", ".join(f"`{root}`" for root in allowed)
        raise InputError(
            f"`{path}` lies outside of the folders that may be read: {listed}; put it into one of them, or "
            f"ask who runs the app to add its folder to `{VARIABLE}`"
        )
    for link in _links(path, DEEPEST):
        if not _inside(Path(os.path.realpath(link)), allowed):
            raise InputError(
                f"`{link}` is a link out of the folders that may be read; copy what it points at in its place"
            )
    return path


def typed_data(spec: str) -> str:
    """Return the spec of a data set with its place resolved and judged as a typed path.

    Raises:
        InputError: see `typed_path`.

    Example:
        >>> typed_data("digits"), typed_data("folder:/data/../images")
        ('digits', 'folder:/images')
    """
    kind, colon, place = spec.strip().partition(":")
    return f"{kind}:{typed_path(place)}" if place.strip() else f"{kind}{colon}"


def _resolved(text: str) -> Path:
    shown = ascii(text[:80])
    if not text.isprintable() or len(text) > LONGEST_PATH:
        raise InputError(
            f"a path is at most {LONGEST_PATH:,} characters that can be shown, found {len(text):,}, starting "
            f"{shown}; check what was pasted"
        )
    try:
        path = Path(text).expanduser().resolve()
        path.exists()  # says whether the system takes such a name
    except PermissionError:
        pass
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{shown} cannot be a path: {reason}; check it") from None
    return path


def _inside(path: Path, folders: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _links(folder: Path, depth: int) -> Iterator[str]:
    """List the links in a folder, so many levels deep, without following any."""
    if not depth or not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield entry.path
            elif entry.is_dir():
                yield from _links(Path(entry.path), depth - 1)
