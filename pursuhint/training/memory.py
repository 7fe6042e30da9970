"""Running out of memory, in words that say what to lower."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pursuhint.device import is_out_of_memory
from pursuhint.errors import PursuhintError
from pursuhint.training.checkpoint import checkpoints
from pursuhint.training.settings import RunSettings


@contextmanager
def explain_out_of_memory(
    settings: RunSettings, folder: Path, doing: Literal["training", "loading"] = "training"
) -> Iterator[None]:
    """Turn an allocation that fails inside the block into an error that says what to do.

    Args:
        settings: of the run.
        folder: of its checkpoints.
        doing: what the block does; before a batch is made its size is not to blame.

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
        what, ways = _blamed(settings) if doing == "training" else _too_large(settings)
        raise PursuhintError(f"out of memory {what}; {saved} start it anew with {', '.join(ways)}") from error


def _blamed(settings: RunSettings) -> tuple[str, list[str]]:
    size, parts = settings.batch_size, settings.accumulate
    what = f"with batches of {size} images" + (f" in {parts} parts" if parts > 1 else "")
    finer = next((n for n in range(parts + 1, size + 1) if size % n == 0), None)
    ways = [f"`--accumulate {finer}` (the same batch in smaller parts)"] if finer else []
    ways += [f"`--batch-size {size // 2}`"] if size >= 4 else []
    return what, ways + (["`--precision bf16-mixed`"] if settings.precision in ("32-true", "64-true") else [])


def _too_large(settings: RunSettings) -> tuple[str, list[str]]:
    ways = ["more memory", "smaller networks"] + (["`--device cpu`"] if settings.device != "cpu" else [])
    return "while images and networks were loaded, before any batch", ways
