"""Work in processes of its own, with a folder on disk as the one record of it."""

from pursuhint.jobs.apart import answer, ask
from pursuhint.jobs.folder import JobFolder
from pursuhint.jobs.journal import Event, Journal
from pursuhint.jobs.log_lines import log_lines
from pursuhint.jobs.reporter import Cancelled, Reporter, recorded
from pursuhint.jobs.transitions import LIVE, State

NICENESS = 10
"""Of processes that work in the background: where cores are scarce, pages get about nine tenths of them."""

__all__ = [
    "LIVE",
    "NICENESS",
    "Cancelled",
    "Event",
    "JobFolder",
    "Journal",
    "Reporter",
    "State",
    "answer",
    "ask",
    "log_lines",
    "recorded",
]
