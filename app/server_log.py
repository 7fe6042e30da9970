"""The log of the app itself: on stderr, each line with its time."""

from __future__ import annotations

import logging

from pursuhint.jobs.log_lines import now

ROOT = logging.getLogger("pursuhint")


class Lines(logging.Formatter):
    """Write a record as ``time LEVEL name message``."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: D102
        return now()


def begin() -> None:
    """Write what the app logs from now on; a second call changes nothing."""
    if not ROOT.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(Lines("%(asctime)s %(levelname)s %(name)s %(message)s"))
        ROOT.addHandler(handler)
        ROOT.setLevel(logging.INFO)
