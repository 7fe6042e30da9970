"""Files that are whole or absent: written beside their final name, flushed to disk, then renamed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from pursuhint.archives import check_archive
from pursuhint.errors import InputError, StorageError, one_line

LARGEST_JSON = 256_000_000
"""Bytes; the largest that the project writes, the settings of a run with a plan, stay below a hundredth."""


def write_atomic(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file so that its final name never shows a part of it.

    Args:
        path: the final name; its folder is made when it is missing.
        write: receives the open binary file and writes all of it.

    Raises:
        StorageError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    path = Path(path)
    scratch: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            scratch = Path(file.name)
            write(file)
            file.flush()
            os.fsync(file.fileno())
        scratch.chmod(0o644)
        scratch.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"cannot write `{path}`: {reason}; free some space or choose another folder"
        ) from error
    finally:
        if scratch is not None:
            scratch.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    """Flush a folder, so that a machine that loses its power now still has the new name."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def copy_file(source: Path, path: Path) -> None:
    """Copy a file, whole or not at all; see `write_atomic`."""
    with open(source, "rb") as original:
        write_atomic(path, lambda file: shutil.copyfileobj(original, file))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all; see `write_atomic`."""
    write_atomic(path, lambda file: file.write(content) and None)


def write_json(path: Path, content: Any) -> None:
    """Write JSON (two spaces of indent, UTF-8), whole or not at all; see `write_atomic`."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode())


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: the file is missing, too large, cannot be read or is not JSON.
    """
    try:
        if os.path.getsize(path) > LARGEST_JSON:
            raise InputError(
                f"`{path}` has {in_bytes(os.path.getsize(path))}, expected JSON of at most "
                f"{in_bytes(LARGEST_JSON)}; check that it is the right file"
            )
        text = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"no such file: `{path}`; check the path") from None
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}; check the path") from None
    return parse_json(text, source=str(path))


def parse_json(text: str | bytes, *, source: str) -> Any:
    """Parse JSON that anybody may have written.

    Args:
        text: of the file.
        source: what it is called in messages.

    Raises:
        InputError: it is not JSON, nests too deeply, or holds NaN, Infinity or half of a character.

    Example:
        >>> parse_json('{"layers": ["a"]}', source="plan.json")
        {'layers': ['a']}
    """
    try:
        content = json.loads(text, parse_constant=_no_number)
        if (b"\\u" if isinstance(text, bytes) else "\\u") in text:  # the one way to write half a character
            json.dumps(content, ensure_ascii=False).encode()
        return content
    except RecursionError:
        reason = "it nests too deeply"
    except ValueError as error:
        reason = one_line(error)
    raise InputError(f"`{source}` must be JSON: {reason}; was it cut short or edited?")


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def read_npz(path: Path, *, what: str) -> dict[str, np.ndarray]:
    """Read a whole .npz without pickled objects.

    Args:
        path: the file.
        what: it should hold, for messages.

    Raises:
        InputError: the file is missing or damaged, in whatever way.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            check_archive(arrays.zip, Path(path))
            return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        raise InputError(f"no such file: `{path}`; check the path") from None
    except InputError:
        raise
    except Exception as error:  # damaged bytes end in a dozen kinds of error, from zipfile to tokenize
        raise InputError(f"`{path}` must hold {what}: {error}; make it again") from None


def sha256_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def crc32_file(path: Path) -> int:
    """Return the CRC-32 of a file's bytes: quick enough to be asked before every use of a large file."""
    found = 0
    with open(path, "rb") as file:
        while chunk := file.read(1 << 22):
            found = zlib.crc32(chunk, found)
    return found


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock (`fcntl.flock`) on a file while the block runs; waits for whoever has it.

    Args:
        path: the file; made when it is missing. A process that dies lets go of it.

    Raises:
        StorageError: the file cannot be opened for writing.
    """
    with open_to_lock(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def open_to_lock(path: Path) -> IO[str]:
    """Open a file that is there to be locked.

    Raises:
        StorageError: it cannot be opened for writing.
    """
    try:
        return open(path, "a")
    except OSError as error:
        raise StorageError(
            f"cannot write `{path}`: {error.strerror}; make its folder writable or copy it to one that is"
        ) from error


def is_locked(path: Path) -> bool:
    """Say whether a process, this one included, holds a lock (`fcntl.flock`) on a file."""
    if not Path(path).is_file():
        return False
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def in_bytes(size: float) -> str:
    """Write a size for people.

    Example:
        >>> in_bytes(40_320_000), in_bytes(2_100_000_000), in_bytes(900)
        ('40 MB', '2.1 GB', '0.9 kB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.{0 if size >= 10 * unit else 1}f} {name}"
    return f"{size / 1e3:.1f} kB"
