"""Running out of memory, in words that say what to lower."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pursuhint.device import is_out_of_memory
from pursuhint.errors import PursuhintError
from pursuhint.training.checkpoint import checkpoints
from pursuhint.training.settings import RunSettings


@contextmanager
def explain_out_of_memory(settings: RunSettings, folder: Path) -> Iterator[None]:
    """Turn an allocation that fails inside the block into an error that says what to do.

    Args:
        settings: of the run.
        folder: of its checkpoints.

    Raises:
        PursuhintError: in place of the allocator's error.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        saved = (
            "the last checkpoint is kept: resume the run once there is more memory, or"
            if checkpoints(folder)
            else "there is no checkpoint yet:"
        )
        parts = f" in {settings.accumulate} parts" if settings.accumulate > 1 else ""
        raise PursuhintError(
            f"out of memory with batches of {settings.batch_size} images{parts}; {saved} start it anew with "
            f"{', '.join(_ways_out(settings))}"
        ) from error


def _ways_out(settings: RunSettings) -> list[str]:
    size, parts = settings.batch_size, settings.accumulate
    finer = next((n for n in range(parts + 1, size + 1) if size % n == 0), None)
    ways = [f"`--accumulate {finer}` (the same batch in smaller parts)"] if finer else []
    ways += [f"`--batch-size {size // 2}`"] if size >= 4 else []
    return ways + (["`--precision bf16-mixed`"] if settings.precision in ("32-true", "64-true") else [])
