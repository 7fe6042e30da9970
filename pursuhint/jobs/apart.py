"""Short work in another process, and how the modules that do it end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from pursuhint.errors import InputError, PursuhintError, StopRequested


def ask(module: str, *arguments: str, what: str, timeout: float) -> str:
    """Run ``python -m module arguments``, wait for it and return what it printed.

    Args:
        module: a module that ends by `answer`.
        arguments: of its command line.
        what: the work in words, for messages, such as "the map of layer1.0".
        timeout: seconds it may take.

    Raises:
        InputError: the other process cannot use its input, in its own words.
        PursuhintError: it failed or took too long.
    """
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise PursuhintError(f"{what} took longer than {timeout:.0f} s; try something smaller") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"{what} failed without a word"])[-1]
        kind = InputError if done.returncode == InputError.exit_code else PursuhintError
        raise kind(reason.removeprefix("error: "))
    return done.stdout


def answer(work: Callable[[], object]) -> int:
    """Do the work of a module's command line; an error or a stop becomes one line on stderr.

    Returns:
        The exit code: 0, or the error's.
    """
    try:
        work()
    except StopRequested as stop:
        print(stop, file=sys.stderr)
        return stop.exit_code
    except PursuhintError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0
