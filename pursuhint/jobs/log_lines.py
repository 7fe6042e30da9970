"""Logs whose every line says when it was written and for which job."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import datetime
from importlib.metadata import version
from typing import TextIO


def now() -> str:
    """Return the local time with its distance from UTC, as ISO 8601 writes it, to the millisecond."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def stamped(text: str, who: str, *, clock: Callable[[], str] = now) -> str:
    r"""Put the time and a job's id before every line of a text.

    Args:
        text: of one or more lines, with or without a line feed at its end.
        who: id of the job.
        clock: tells the time.

    Example:
        >>> stamped("one\n  two", "run-1", clock=lambda: "12:00")
        '12:00 run-1 one\n12:00 run-1   two\n'
    """
    return "".join(f"{clock()} {who} {line}\n" for line in text.splitlines())


class LogLines(io.TextIOBase):
    """A stream that stamps whole lines and passes them on; a progress bar's carriage returns end lines, too.

    Args:
        stream: to write to.
        who: id of the job.
    """

    def __init__(self, stream: TextIO, who: str) -> None:
        self._stream, self._who, self._part = stream, who, ""

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the number of the file below, for programs that are started from here."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Keep what is not yet a line; write the rest."""
        whole, feed, self._part = (self._part + text.replace("\r", "\n")).rpartition("\n")
        if feed and whole.strip():
            with suppress(OSError):  # a full disk stops the work where it matters, not here
                self._stream.write(stamped(whole, self._who))
                self._stream.flush()
        return len(text)

    def close_line(self) -> None:
        """Write what is left without its end."""
        if self._part:
            self.write("\n")


@contextmanager
def log_lines(who: str) -> Iterator[None]:
    """Stamp what this process prints while the block runs, and say how it begins and ends.

    Args:
        who: id of the job.
    """
    out, err = LogLines(sys.stdout, who), LogLines(sys.stderr, who)
    with redirect_stdout(out), redirect_stderr(err):
        print(f"process {os.getpid()} begins, pursuhint {version('pursuhint')}")
        try:
            yield
        finally:
            out.close_line()
            err.close_line()
            print(f"process {os.getpid()} ends")
