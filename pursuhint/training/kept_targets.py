"""What a teacher said of every view of every image, kept on disk in half precision."""

from __future__ import annotations

import fcntl
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pursuhint.errors import PursuhintError, StorageError
from pursuhint.files import in_bytes, write_atomic, write_json
from pursuhint.training.target_size import Shapes, bytes_needed

HALF = np.dtype("<f2")
WRITES_BETWEEN_MARKS = 32
"""Batches after which what was written is marked as there."""
DONE, CARD = "done.bits", "targets.json"
LOCK, CHANGING = "lock", "changing"
"""Shared for as long as somebody uses the folder; alone while files are made or marks are changed."""


class KeptTargets:
    """Rows of half-precision numbers, one for each view, image and target, of which some are there.

    The disk is claimed when the files are made, so a run cannot fail for lack of it later. A row counts as
    there once its bytes are on disk and it is marked, in this order, so that a process that is killed leaves
    no row that only seems to be there. Several processes may share a folder: they write the same rows, and
    while one of them makes the files the others wait.

    Args:
        folder: where the files are, or are made.
        ids: int64, shape (n,): the images' rows in their data set.
        views: how many views there are of an image.
        shapes: of the targets.
        card: what is written beside them about where they come from, when it is given.

    Raises:
        StorageError: the files cannot be made, or are damaged while another process uses them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ids: np.ndarray,
        views: int,
        shapes: Shapes,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self.views, self.shapes = Path(folder), views, dict(shapes)
        self.bytes = bytes_needed(shapes, images=len(ids), views=views)
        self._ids = np.sort(ids)
        self._unmarked = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._alone():
                self._lock = open(self.folder / LOCK, "a")  # noqa: SIM115  (held for as long as this lives)
                fcntl.flock(self._lock, fcntl.LOCK_SH)
                self._make_files()
                if card is not None:
                    write_json(self.folder / CARD, dict(card))
            self._rows = {name: self._map(index) for index, name in enumerate(self.shapes)}
        except OSError as error:
            raise StorageError(
                f"cannot keep {in_bytes(self.bytes)} of targets in `{self.folder}`: {error.strerror}; free "
                "some space or leave `--keep-targets` out"
            ) from error
        self._done = self._marked()

    def __len__(self) -> int:
        """How many rows are there, of all views."""
        return int(self._done.sum())

    def missing(self, view: int, ids: Tensor) -> np.ndarray:
        """Say of which of these images the view is not there, bool, shape (n,)."""
        return ~self._done[view, self._places(ids)]

    def read(self, view: int, ids: Tensor) -> dict[str, Tensor]:
        """Return the targets of these images, float32, on the device of `ids`."""
        places = self._places(ids)
        return {
            name: torch.from_numpy(rows[view, places].astype(np.float32)).to(ids.device)
            for name, rows in self._rows.items()
        }

    def write(self, view: int, ids: Tensor, targets: Mapping[str, Tensor]) -> None:
        """Keep the targets of these images.

        Args:
            view: which view of theirs.
            ids: int64, shape (n,).
            targets: name -> shape (n, ...), as in `shapes`.

        Raises:
            PursuhintError: a value is too large for half precision, or none.
        """
        places = self._places(ids)
        for name, rows in self._rows.items():
            half = targets[name].to(torch.float16).cpu()
            if not bool(torch.isfinite(half).all()):
                raise PursuhintError(
                    f"the teacher's `{name}` reaches {float(targets[name].abs().max()):.3g}, above the "
                    "65504 that kept targets can hold; leave `--keep-targets` out"
                )
            rows[view, places] = half.numpy()
        self._done[view, places] = True
        self._unmarked += 1
        if self._unmarked >= WRITES_BETWEEN_MARKS:
            self.mark()

    def mark(self) -> None:
        """Put what was written on disk, then mark it as there, together with what others have marked."""
        if not self._unmarked:
            return
        for rows in self._rows.values():
            rows.flush()
        with self._alone():
            content = np.packbits(self._done | self._marked()).tobytes()
            write_atomic(self.folder / DONE, lambda file: file.write(content) and None)
        self._unmarked = 0

    def close(self) -> None:
        """Mark what was written and let others remove the folder."""
        self.mark()
        self._lock.close()

    def _places(self, ids: Tensor) -> np.ndarray:
        return np.searchsorted(self._ids, ids.cpu().numpy())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other process make files or change marks in the meantime."""
        with open(self.folder / CHANGING, "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make_files(self) -> None:
        """Make the targets' files; if one is missing or cut short it is made anew and no row is there.

        Raises:
            StorageError: another process works with what would be made anew.
        """
        files = [self._file(index) for index in range(len(self.shapes))]
        wrong = [(path, size) for path, size, _ in files if not path.is_file() or path.stat().st_size != size]
        if not wrong:
            return
        if any(path.is_file() for path, *_ in files):
            self._require_no_user()
        (self.folder / DONE).unlink(missing_ok=True)
        for path, size in wrong:
            _claim(path, size)

    def _require_no_user(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                f"the kept targets in `{self.folder}` are damaged and another run works with them; wait for "
                "it, or leave `--keep-targets` out"
            ) from None
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def _file(self, index: int) -> tuple[Path, int, tuple[int, ...]]:
        """Return a target's file, its size in bytes, and the shape of what it holds."""
        shape = (self.views, len(self._ids), *list(self.shapes.values())[index])
        return self.folder / f"{index:03d}.f16", math.prod(shape) * HALF.itemsize, shape

    def _map(self, index: int) -> np.ndarray:
        path, _, shape = self._file(index)
        return np.memmap(path, dtype=HALF, mode="r+", shape=shape)

    def _marked(self) -> np.ndarray:
        """Read which rows are there, bool, shape (views, images)."""
        shape = (self.views, len(self._ids))
        path = self.folder / DONE
        packed = np.fromfile(path, dtype=np.uint8) if path.is_file() else np.empty(0, np.uint8)
        if len(packed) != (math.prod(shape) + 7) // 8:
            return np.zeros(shape, dtype=bool)
        return np.unpackbits(packed, count=math.prod(shape)).astype(bool).reshape(shape)


def _claim(path: Path, size: int) -> None:
    """Make a file of this size, its disk space taken where the system can; or none at all."""
    try:
        with open(path, "wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                os.ftruncate(file.fileno(), size)
    except OSError:
        path.unlink(missing_ok=True)
        raise
