"""Runs: training jobs kept as folders."""

from pursuhint.runs.folder import RunFolder, create_run, delete_runs, find_run, list_runs
from pursuhint.runs.history import History
from pursuhint.runs.index import RunIndex

__all__ = ["History", "RunFolder", "RunIndex", "create_run", "delete_runs", "find_run", "list_runs"]
