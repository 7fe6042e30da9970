"""What the commands print: tables for people, JSON for programs, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from pursuhint.progress import Progress, silent
from pursuhint.ranks import is_first_process

WIDTH_OF_A_FILE = 160
"""Columns when stdout is no terminal: nothing is cut short that a program or a log would want whole."""
out = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
err = Console(stderr=True)


def print_json(content: Any) -> None:
    """Print machine-readable output, the only thing on stdout with ``--json``."""
    print(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False), flush=True)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; columns of numbers are aligned to the right."""
    grid = Table(box=None, header_style="dim", pad_edge=False)
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float) for row in rows)
        grid.add_column(column, justify="right" if numeric else "left", no_wrap=index == 0)
    for row in rows:
        grid.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    out.print(title, style="bold", highlight=False)
    out.print(grid)


@contextmanager
def progress_bars(*, quiet: bool = False) -> Iterator[Progress]:
    """Show a bar for every reported stage on stderr; nothing when quiet or when stderr is no terminal.

    Of several processes only the first one shows any.
    """
    if quiet or not err.is_terminal or not is_first_process():
        yield silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=err, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report


def percent(value: float | None) -> str:
    """Write a share as per cent with two digits.

    Example:
        >>> percent(0.9339)
        '93.39 %'
    """
    return "-" if value is None else f"{100 * value:.2f} %"


def compared(compression: float) -> str:
    """Write how a student's size compares with its teacher's.

    Example:
        >>> compared(2.5), compared(0.5)
        ('2.50 times smaller', '2.00 times larger')
    """
    return f"{compression:.2f} times smaller" if compression >= 1 else f"{1 / compression:.2f} times larger"


def several(number: int, noun: str) -> str:
    """Write a number with its noun.

    Example:
        >>> several(1, "run"), several(2, "run")
        ('1 run', '2 runs')
    """
    return f"{number:,} {noun}" + "s" * (number != 1)
