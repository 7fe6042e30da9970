"""Results that are computed once and kept in files."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np

from pursuhint.errors import InputError, PursuhintError
from pursuhint.files import write_atomic

T = TypeVar("T")


def kept(path: Path, load: Callable[[Path], T], make: Callable[[], T], *, keep: bool) -> T:
    """Read what was computed before; make it anew where there is none, or one that is damaged.

    Args:
        path: the file.
        load: reads it; InputError for a damaged one.
        make: computes it; what it returns has a ``save(path)``.
        keep: whether a new one is written; a folder that cannot be written still answers.
    """
    if path.is_file():
        with suppress(InputError):
            return load(path)
    made = make()
    if keep:
        with suppress(PursuhintError):
            made.save(path)
    return made


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array, whole or not at all."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_atomic(path, lambda file: file.write(buffer.getvalue()) and None)
