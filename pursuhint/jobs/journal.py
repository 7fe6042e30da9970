"""The journal: an append-only file of JSON lines, the one record of what a job did."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pydantic_core import from_json

from pursuhint.errors import StorageError

Event = dict[str, Any]
PIECE = 1 << 22
"""Bytes that are parsed together: a long journal is never in memory as a whole."""
BLOCK = 1 << 16
"""Bytes that are read at a time from the end."""


class Journal:
    """Append events to a file and read them back, from the start or from where one stopped.

    Every event is one line ``{"time": seconds since 1970, "kind": ..., ...}``. A line is written by one call,
    so a process that dies leaves at most one incomplete last line, which readers skip and the next writer
    closes. The order of the lines is the order of the events, and their times never go back: when the clock
    was set back, an event gets the time of the one before it until the clock has caught up.

    Args:
        path: the file; need not exist for reading.
        clock: tells the seconds since 1970.

    Example:
        >>> import tempfile
        >>> journal = Journal(Path(tempfile.mkdtemp()) / "journal.jsonl")
        >>> journal.append("note", text="hello")
        >>> journal.read()[0][0]["text"]
        'hello'
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock = Path(path), clock

    def append(self, kind: str, **fields: Any) -> None:
        """Append one event; on disk when the call returns.

        Raises:
            StorageError: the disk is full or the file cannot be written.
        """
        try:
            with open(self.path, "ab+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # one writer at a time, so that times follow the lines
                tail = _tail(file)
                now = max(self._clock(), _latest_time(tail))
                line = json.dumps({"time": now, "kind": kind, **fields}, ensure_ascii=False).encode() + b"\n"
                if tail and not tail.endswith(b"\n"):
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

    def last(self, kind: str) -> Event | None:
        """Return the latest event of a kind, found from the end without reading what lies before it."""
        marker = f'"kind": {json.dumps(kind)}'.encode()
        try:
            with open(self.path, "rb") as file:
                for line in _lines_from_the_end(file):
                    if marker in line and (event := _parse(line)) and event.get("kind") == kind:
                        return event
        except FileNotFoundError:
            pass
        return None


def _tail(file: BinaryIO) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - BLOCK))
    return file.read(BLOCK)


def _latest_time(tail: bytes) -> float:
    for line in reversed(tail.splitlines()):
        if (event := _parse(line)) and isinstance(event.get("time"), float | int):
            return event["time"]
    return 0.0


def _lines_from_the_end(file: BinaryIO) -> Iterator[bytes]:
    """Yield the whole lines of a file, the last one first."""
    end, rest = file.seek(0, os.SEEK_END), b""
    whole = False  # what follows the last line feed is a line that is not whole
    while end:
        start = max(0, end - BLOCK)
        file.seek(start)
        first, *others = (file.read(end - start) + rest).split(b"\n")
        end, rest = start, first
        if others:
            yield from reversed(others if whole else others[:-1])
            whole = True
    if whole:
        yield rest


def _parse(line: bytes) -> Event | None:
    try:
        event = from_json(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
