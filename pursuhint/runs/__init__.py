"""Runs: training jobs kept as folders."""

from pursuhint.runs.folder import History, RunFolder, create_run, find_run, list_runs

__all__ = ["History", "RunFolder", "create_run", "find_run", "list_runs"]
