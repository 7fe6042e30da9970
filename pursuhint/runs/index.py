"""All runs at a glance: their summaries and histories, read once and then only what has changed."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from pursuhint.errors import PursuhintError, find_named
from pursuhint.home import runs_folder
from pursuhint.jobs import LIVE
from pursuhint.runs.digest import Digest
from pursuhint.runs.folder import RunFolder, list_runs
from pursuhint.runs.history import History
from pursuhint.runs.labels import FILE as LABELS

Summary = dict[str, Any]
MOST_HISTORIES = 24
"""Journals that are held in memory: those looked at last. One of 100,000 steps takes about 30 MB."""

FRESH = 10_000_000_000
"""Nanoseconds within which a second change of a folder may not show in its time."""


@dataclass(frozen=True)
class _Known:
    """A summary with the sizes and times of the files that it was read from."""

    stamp: tuple[int, ...]
    summary: Summary
    digest: Digest


class RunIndex:
    """The runs of a folder, for many readers at once.

    An ended run costs a look at two files; a live one is read on from where one stopped.

    Args:
        folder: where runs are kept; the user's data folder when None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, _Known] = {}
        self._listed: tuple[int, list[RunFolder]] = (-1, [])
        self._histories: OrderedDict[str, History] = OrderedDict()
        self._lock = RLock()

    def summaries(self) -> tuple[list[Summary], list[str]]:
        """Return the summaries of all runs, newest first, and why some cannot be read."""
        read, problems = [], []
        runs = self.runs()
        for run in runs:
            try:
                read.append(self.summary(run))
            except PursuhintError as error:
                problems.append(str(error))
        for gone in set(self._known) - {run.id for run in runs}:
            self.forget(gone)
        return read, problems

    def runs(self) -> list[RunFolder]:
        """Return all runs, newest first; nothing is looked up while no folder came or went."""
        base = self._folder or runs_folder()
        changed = _written(base)
        if changed != self._listed[0] or time.time_ns() - changed < FRESH:
            self._listed = (changed, list_runs(base))
        return self._listed[1]

    def summary(self, run: RunFolder) -> Summary:
        """Return a run's summary.

        Raises:
            InputError: the run cannot be read.
        """
        stamp = (run.journal.size(), _written(os.path.join(run.path, LABELS)))
        known = self._known.get(run.id)
        if known is None or known.stamp[0] != stamp[0]:
            known = self._read(run, stamp)
        elif known.stamp != stamp or known.summary["state"] in LIVE:
            # Its process can end without a word, and it can be called something else at any time.
            known = _Known(stamp, run.summary_of(known.digest), known.digest)
        self._known[run.id] = known
        return known.summary

    def _read(self, run: RunFolder, stamp: tuple[int, ...]) -> _Known:
        with self._lock:
            followed = run.id in self._histories
        digest = run.digest(self.history(run) if followed else None)
        summary = run.summary_of(digest)
        if summary["state"] in LIVE:
            if not followed:
                self.history(run)  # from here on it is
        elif digest.journal == stamp[0]:
            run.keep(digest)
        return _Known(stamp, summary, digest)

    def history(self, run: RunFolder) -> History:
        """Return a run's history up to now; it is shared, and only this method adds to it."""
        with self._lock:
            known = self._histories.get(run.id)
            if known is not None and known.offset > run.journal.size():
                known = None  # another journal stands in its place
            self._histories[run.id] = run.history(known)
            self._histories.move_to_end(run.id)
            while len(self._histories) > MOST_HISTORIES:
                self._histories.popitem(last=False)
            return self._histories[run.id]

    def forget(self, run: str) -> None:
        """Drop what was read of a run."""
        with self._lock:
            self._known.pop(run, None)
            self._histories.pop(run, None)


def _written(path: Path | str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


def accuracy(summary: Summary) -> float | None:
    """Return the accuracy that a run is listed with: on test once it has finished, else on validation."""
    return summary["metrics"].get("test_accuracy", summary["metrics"].get("validation_accuracy"))


def known_tags(summaries: Iterable[Summary]) -> list[str]:
    """Return the tags that runs have, in the order of the alphabet."""
    return sorted({tag for one in summaries for tag in one["tags"]})


ORDERS: dict[str, Callable[[Summary], Any]] = {
    "newest": lambda one: one["created"],
    "accuracy": lambda one: accuracy(one) if accuracy(one) is not None else -1.0,
    "compression": lambda one: one["compression"] or 0.0,
    "name": lambda one: one["name"].casefold(),
    "state": lambda one: one["state"],
}
"""What runs can be sorted by; the greatest comes first but for words."""


def arrange(
    summaries: Iterable[Summary],
    *,
    words: str = "",
    states: Sequence[str] = (),
    tags: Sequence[str] = (),
    by: str = "newest",
) -> list[Summary]:
    """Choose and sort summaries.

    Args:
        summaries: newest first.
        words: each must occur in the name, the id, a tag, or the student, data or losses of a run.
        states: one of them must be the run's; none: any.
        tags: all of them must be the run's.
        by: one of `ORDERS`.

    Raises:
        InputError: the order is unknown.

    Example:
        >>> run = {"id": "a", "name": "KD only", "tags": ["old"], "state": "lost", "settings": {}}
        >>> run["created"] = "20261123-101500"
        >>> [one["id"] for one in arrange([run], words="kd OLD")], arrange([run], states=["failed"])
        (['a'], [])
    """
    order = find_named("order", by, ORDERS)
    wanted = words.casefold().split()
    found = [
        one
        for one in summaries
        if all(word in _said(one) for word in wanted)
        and (not states or one["state"] in states)
        and set(tags) <= set(one["tags"])
    ]
    return sorted(found, key=order, reverse=by not in ("name", "state"))


def _said(summary: Summary) -> str:
    settings = summary["settings"]
    about = [str(settings.get(name, "")) for name in ("student", "data", "hint_loss", "logit_loss")]
    return " ".join([summary["name"], summary["id"], *summary["tags"], *about]).casefold()
