"""Where the rows of features go while they arrive: into memory, or onto the end of one file a layer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pursuhint.errors import InputError, StorageError, one_line

AGAIN = "analyse the teacher again"


def feature_file(folder: Path, index: int) -> Path:
    """Return where the features of the layer at this depth are kept."""
    return folder / f"{index:03d}.npy"


def map_features(path: Path, *, rows: int = 1) -> np.ndarray:
    """Return the features of a layer as a memory map, float32, shape (n_samples, features).

    Args:
        path: a .npy.
        rows: the fewest that it must have.

    Raises:
        InputError: the file holds anything else.
    """
    wanted = f"`{path}` must hold a layer's features, float32 of shape ({rows:,} or more, features)"
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        described = f"{found.dtype} of shape {found.shape}"
    except Exception as error:  # damaged bytes end in a dozen kinds of error
        raise InputError(f"{wanted}: {one_line(error)}; {AGAIN}") from None
    if found.dtype != np.float32 or found.ndim != 2 or len(found) < rows or not found.shape[1]:
        raise InputError(f"{wanted}: found {described}; {AGAIN}")
    return found


class RowsInMemory:
    """Rows of features, kept in lists."""

    def __init__(self) -> None:
        self._rows: dict[str, list[np.ndarray]] = {}

    def __enter__(self) -> RowsInMemory:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def append(self, layer: str, rows: np.ndarray) -> None:
        """Add the rows of one batch, float32 (n, features)."""
        self._rows.setdefault(layer, []).append(rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return layer -> all rows."""
        return {layer: np.concatenate(rows) for layer, rows in self._rows.items()}


class RowsOnDisk:
    """Rows of features in one .npy a layer, whose space is taken beforehand.

    Plain writes, not a memory map: its pages would count as memory of this process until the end.

    Args:
        folder: where the files are; made when it is missing.
        widths: layer -> number of features, in depth order.
        n: number of rows that each layer will have.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """

    def __init__(self, folder: Path, widths: Mapping[str, int], n: int) -> None:
        self._paths = {layer: feature_file(folder, index) for index, layer in enumerate(widths)}
        self._widths, self._n = widths, n
        self._files: dict[str, BinaryIO] = {}
        self._open = ExitStack()

    def __enter__(self) -> RowsOnDisk:
        with ExitStack() as undo:
            undo.push(self._open)
            for layer, path in self._paths.items():
                with _said(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    self._files[layer] = self._open.enter_context(open(path, "wb"))
                    _reserve(self._files[layer], (self._n, self._widths[layer]))
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with _said(next(iter(self._paths.values())).parent):
            self._open.close()

    def append(self, layer: str, rows: np.ndarray) -> None:
        """Add the rows of one batch, float32 (n, features)."""
        with _said(self._paths[layer]):
            self._files[layer].write(np.ascontiguousarray(rows, dtype="<f4").data)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return layer -> all rows as a memory map."""
        return {layer: np.load(path, mmap_mode="r") for layer, path in self._paths.items()}


class RowsFile:
    """The rows of a .npy file, mapped for one slice at a time.

    A map that lasted would keep every page that was touched, so that memory grew with the images.

    Args:
        path: a two-dimensional .npy.
        rows: the first rows only, which must be there; all when None.

    Attributes:
        shape: (rows, features).
        dtype: of the features.

    Raises:
        InputError: the file holds anything else.
    """

    def __init__(self, path: Path, *, rows: int | None = None) -> None:
        self._path = path
        whole = map_features(path, rows=rows or 1)
        self.dtype = whole.dtype
        self.shape = (rows or len(whole), whole.shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        return np.array(np.load(self._path, mmap_mode="r")[: len(self)][rows])


def _reserve(file: BinaryIO, shape: tuple[int, int]) -> None:
    """Write the header of a .npy and take the space of its rows."""
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    os.posix_fallocate(file.fileno(), 0, file.tell() + 4 * shape[0] * shape[1])


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write `{path}`: {error.strerror}; free some space") from error
