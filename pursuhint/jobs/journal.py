"""The journal: an append-only file of JSON lines, the one record of what a job did."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from pursuhint.errors import StorageError

Event = dict[str, Any]


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

    def read(self, offset: int = 0) -> tuple[list[Event], int]:
        """Return the events after an offset and the offset to go on from.

        Args:
            offset: bytes already read; 0 for all.

        Returns:
            The complete events, oldest first, and the new offset.
        """
        try:
            with open(self.path, "rb") as file:
                file.seek(offset)
                content = file.read()
        except FileNotFoundError:
            return [], 0
        whole = content.rfind(b"\n") + 1
        return [event for line in content[:whole].splitlines() if (event := _parse(line))], offset + whole


def _ends_whole(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _parse(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
