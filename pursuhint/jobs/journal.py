"""The journal: an append-only file of JSON lines, the one record of what a job did."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from pursuhint.errors import StorageError

Event = dict[str, Any]
PIECE = 1 << 22
"""Bytes that are parsed together: a long journal is never in memory as a whole."""


class Journal:
    """Append events to a file and read them back, from the start or from where one stopped.

    Every event is one line ``{"time": seconds since 1970, "kind": ..., ...}``. A line is written by one call,
    so a process that dies leaves at most one incomplete last line, which readers skip and the next writer
    closes.

    Args:
        path: the file; need not exist for reading.

    Example:
        >>> import tempfile
        >>> journal = Journal(Path(tempfile.mkdtemp()) / "journal.jsonl")
        >>> journal.append("note", text="hello")
        >>> journal.read()[0][0]["text"]
        'hello'
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def append(self, kind: str, **fields: Any) -> None:
        """Append one event; on disk when the call returns.

        Raises:
            StorageError: the disk is full or the file cannot be written.
        """
        line = json.dumps({"time": time.time(), "kind": kind, **fields}, ensure_ascii=False).encode() + b"\n"
        try:
            with open(self.path, "ab+") as file:
                if file.tell() and not _ends_whole(file):
                    line = b"\n" + line
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(
                f"cannot write `{self.path}`: {error.strerror}; free some space, then resume"
            ) from error

    def size(self) -> int:
        """Return its bytes; 0 when there is no file yet."""
        try:
            return os.stat(self.path).st_size
        except FileNotFoundError:
            return 0

    def read(self, offset: int = 0) -> tuple[list[Event], int]:
        """Return the events after an offset and the offset to go on from.

        Args:
            offset: bytes already read; 0 for all.

        Returns:
            The complete events, oldest first, and the new offset.
        """
        pieces = list(self.pieces(offset))
        return [event for events, _ in pieces for event in events], pieces[-1][1]

    def pieces(self, offset: int = 0) -> Iterator[tuple[list[Event], int]]:
        """Read like `read`, some megabytes at a time, for whoever need not hold all events at once.

        Args:
            offset: bytes already read; 0 for all.

        Yields:
            Complete events, oldest first, and the offset behind them; at least once.
        """
        if not self.path.is_file():
            yield [], 0
            return
        rest = b""
        with open(self.path, "rb") as file:
            file.seek(offset)
            while content := file.read(PIECE):
                content = rest + content
                whole = content.rfind(b"\n") + 1
                offset, rest = offset + whole, content[whole:]
                yield [event for line in content[:whole].splitlines() if (event := _parse(line))], offset
        yield [], offset

    def between(self, begin: int, end: int) -> list[Event]:
        """Return the events whose whole lines lie between two offsets; the first may be any byte.

        Args:
            begin: bytes that are passed over.
            end: where to stop reading.
        """
        try:
            with open(self.path, "rb") as file:
                file.seek(max(0, begin - 1))
                content = file.read(end - max(0, begin - 1))
        except FileNotFoundError:
            return []
        first = content.find(b"\n") + 1 if begin else 0  # the line that `begin` lies in is left out
        whole = content.rfind(b"\n") + 1
        return [event for line in content[first:whole].splitlines() if (event := _parse(line))]


def _ends_whole(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _parse(line: bytes) -> Event | None:
    try:
        event = from_json(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
