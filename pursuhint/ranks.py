"""Which of several processes this one is, as ``torchrun`` tells it; one process alone is the first of one."""

from __future__ import annotations

import os

from pursuhint.errors import InputError

LAUNCHER = "TORCHELASTIC_RUN_ID"
"""Set by torchrun alone: ``RANK`` and ``WORLD_SIZE`` are also left behind by schedulers of clusters."""


def process_rank() -> int:
    """Return this process's number among those that train together, from 0.

    Example:
        >>> process_rank()
        0
    """
    return int(os.environ["RANK"]) if LAUNCHER in os.environ else 0


def process_count() -> int:
    """Return how many processes train together.

    Example:
        >>> process_count()
        1
    """
    return int(os.environ["WORLD_SIZE"]) if LAUNCHER in os.environ else 1


def is_first_process() -> bool:
    """Say whether this process is the one that writes and prints."""
    return process_rank() == 0


def check_alone(done: str, option: str) -> None:
    """Refuse what several processes cannot do together.

    Args:
        done: what cannot be done with a run that torchrun starts, such as ``"detached"``.
        option: that asks for it.

    Raises:
        InputError: torchrun has started several.
    """
    if process_count() > 1:
        raise InputError(
            f"a run that torchrun starts cannot be {done}; leave out `{option}`, or start the run alone"
        )
