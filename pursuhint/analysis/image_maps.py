"""Where the probe images lie at each layer: kept maps, and the job that makes the missing ones."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pursuhint.errors import InputError, StorageError, unknown
from pursuhint.files import read_npz, write_atomic
from pursuhint.jobs import LIVE, JobFolder
from pursuhint.progress import time_left

WORKER = "pursuhint.analysis.image_map_worker"
FORMAT = 2
"""1 were maps made one by one, each from its own beginning."""


class ImageMaps(JobFolder):
    """Read and write the maps; they are made by `pursuhint.analysis.image_map_worker`.

    Positions are kept as float16: a map is some twenty units wide, so the error is below a hundredth of one.

    Args:
        path: the folder.
        layers: names in depth order.
        images: how many probe images have a place.
    """

    def __init__(self, path: Path, layers: Sequence[str], images: int) -> None:
        super().__init__(path)
        self._layers, self._images = tuple(layers), images

    def load(self, layer: str) -> np.ndarray | None:
        """Return where the images lie at a layer, float32, shape (n, 2).

        Returns:
            None when the map was not made yet, is damaged, or is of another version or number of images: it
            is then to be made again.

        Raises:
            InputError: unknown layer.
        """
        path = self._file(layer)
        if not path.is_file():
            return None
        try:
            content = read_npz(path, what="a map of the probe images")
            positions, version = content["positions"], int(content["format"])
        except (InputError, KeyError, TypeError, ValueError):
            return None
        fits = version == FORMAT and positions.shape == (self._images, 2)
        return positions.astype(np.float32) if fits and np.isfinite(positions).all() else None

    def save(self, layer: str, positions: np.ndarray) -> None:
        """Keep the map of a layer, shape (n, 2).

        Raises:
            StorageError: it cannot be written.
        """
        buffer = io.BytesIO()
        np.savez_compressed(buffer, positions=positions.astype(np.float16), format=FORMAT)
        write_atomic(self._file(layer), lambda file: file.write(buffer.getvalue()) and None)

    def missing(self) -> list[str]:
        """Return the layers whose map has yet to be made, in depth order."""
        return [layer for layer in self._layers if self.load(layer) is None]

    def stamp(self) -> int:
        """Return a number that changes when a map is written."""
        return max((path.stat().st_mtime_ns for path in self.path.glob("*.npz")), default=0)

    def request(self) -> None:
        """Start a worker on the missing maps, unless one is at it.

        Raises:
            StorageError: the folder cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.start(WORKER)
        except OSError as error:
            raise StorageError(
                f"cannot write `{self.path}`: {error.strerror}; analyse the teacher into a folder of your own"
            ) from error

    def standing(self) -> tuple[int, int, str]:
        """Return how many maps the worker knows to be there, of how many, and how long it will go on."""
        events, _ = self.journal.read()
        begun = max((i for i, e in enumerate(events) if e.get("state") == "running"), default=0)
        reports = [event for event in events[begun:] if event["kind"] == "progress"]
        if not reports:
            return 0, len(self._layers), ""
        first, last = reports[0], reports[-1]
        made, seconds = last["done"] - first["done"], last["time"] - first["time"]
        return last["done"], last["total"], time_left(made, last["total"] - first["done"], seconds)

    def trouble(self) -> str:
        """Return why the last attempt ended early; empty when there was none, or one is under way."""
        if not self.journal.path.is_file():
            return ""
        last = self.last_state()
        return "" if last["state"] in (*LIVE, "finished") else f"{last['state']}: {last['reason']}"

    def _file(self, layer: str) -> Path:
        if layer not in self._layers:
            raise unknown("layer", layer, self._layers)
        return self.path / f"{self._layers.index(layer):03d}.npz"
