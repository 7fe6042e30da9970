"""Commands in several processes that torchrun started: the first one looks, writes and answers for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import typer

from pursuhint.ranks import process_count
from pursuhint.training.settings import RunSettings

T = TypeVar("T")


def by_first(settings: RunSettings, act: Callable[[], T]) -> T:
    """Let the first process act while the others wait, and return in all of them what it returned.

    Args:
        settings: of the run, the same in every process.
        act: returns something that can be pickled.

    Raises:
        Exception: the first process's own error, there; typer.Exit: in the others, with its exit code and
            without a word.
    """
    if process_count() == 1:
        return act()
    from pursuhint.training.precision import build_fabric
    from pursuhint.training.processes import Processes

    failures: list[Exception] = []

    def attempt() -> tuple[T | None, int]:
        try:
            return act(), 0
        except Exception as error:  # whatever it is: the others must not wait for ever
            failures.append(error)
            return None, getattr(error, "exit_code", 1)

    answer, code = Processes(build_fabric(settings)).from_first(attempt)
    if failures:
        raise failures[0]
    if code:
        raise typer.Exit(code)
    return answer
