"""How a job says where it is and how it ended, and notices that it is to stop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pursuhint.errors import PursuhintError, StopRequested
from pursuhint.jobs.folder import JobFolder
from pursuhint.progress import Progress, silent

PACE = 0.5
"""Seconds between two entries of the journal."""


class Cancelled(StopRequested):
    """The job was asked to stop."""


class Reporter:
    """A `Progress` that writes to the journal at most twice a second.

    Args:
        job: whose journal.
        what: the job in words, for the message of `Cancelled`.
        also: is told everything.
    """

    def __init__(self, job: JobFolder, what: str, also: Progress = silent) -> None:
        self._job, self._what, self._also, self._next = job, what, also, 0.0

    def begin(self, stage: str) -> None:
        """Write that a stage begins.

        Raises:
            Cancelled: the job was asked to stop.
        """
        self._stop_if_asked()
        self._job.journal.append("stage", stage=stage)
        self._next = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report where the work is.

        Raises:
            Cancelled: the job was asked to stop.
        """
        self._also(stage, done, total)
        self._stop_if_asked()
        now = time.monotonic()
        if now >= self._next or done == total:
            self._next = now + PACE
            self._job.journal.append("progress", stage=stage, done=done, total=total)

    def _stop_if_asked(self) -> None:
        if self._job.stop_asked():
            raise Cancelled(f"{self._what} was cancelled")


@contextmanager
def recorded(job: JobFolder) -> Iterator[None]:
    """Write into the journal how the work inside ended; an error goes on, an unforeseen one with its log."""
    try:
        yield
    except Cancelled:
        job.set_state("stopped", reason="cancelled")
        raise
    except PursuhintError as error:
        job.set_state("failed", reason=str(error))
        raise
    except Exception as error:
        raise job.fail(error) from error
    job.set_state("finished")
