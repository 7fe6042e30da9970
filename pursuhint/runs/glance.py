"""What the two ends of a journal say: enough to sum up a run, however long its journal is."""

from __future__ import annotations

from pursuhint.jobs import Journal
from pursuhint.runs.history import History

END = 1 << 14
"""Bytes that are read of either end at first: an epoch logs about 10,000."""


def glance(journal: Journal) -> History:
    """Read the beginning of a journal and as much of its end as a summary needs.

    Args:
        journal: of a run.

    Returns:
        A history whose facts and whose latest step, epoch and states are those of the whole journal; of the
        rest whatever was met.
    """
    size, length = journal.size(), END
    begun = [event for event in journal.between(0, END) if event["kind"] not in ("step", "epoch")]
    while END + length < size:
        events = journal.between(size - length, size)
        history = History()
        history.extend([*begun, *events])
        if history.steps and history.epochs and any(event["kind"] == "state" for event in events):
            return history
        length *= 4
    history = History()
    history.extend(journal.between(0, size))
    return history
