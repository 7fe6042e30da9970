"""What an analysis is asked to do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pursuhint.errors import InputError, unknown

POOLINGS = ("mean", "grid2", "grid4", "flatten", "token_mean", "cls")
"""Names of `pursuhint.analysis.pooling.POOLINGS`, known without torch."""
DEFAULT_SAMPLES = 10_000


class AnalysisSettings(BaseModel):
    """Settings of one pass over the probe images.

    Attributes:
        teacher, weights, data, preprocess: as on the command line.
        samples: probe images; None takes 10,000 or all there are.
        pooling: how a feature map becomes a row of features.
        depth, include, exclude: which layers are candidates, see `pursuhint.layers.candidate_layers`.
        allow_weak_teacher: go on with a teacher near chance level.
        disk_limit: gigabytes that the features may take; more is refused before the start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    teacher: str = "builtin:digits-resnet56"
    weights: str | None = None
    data: str = "digits"
    preprocess: str = "auto"
    samples: int | None = None
    pooling: str = "mean"
    depth: int = 0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    device: str = "auto"
    threads: int | None = None
    allow_weak_teacher: bool = False
    disk_limit: float = 10.0

    def key(self) -> str:
        """Return the name under which an analysis with these settings is kept: 12 hexadecimal digits.

        The checkpoint counts with its size and time, the data with the times of its folders, so that what was
        written anew is analysed anew.
        """
        content = self.model_dump(mode="json", exclude={"device", "threads", "disk_limit"})
        if self.weights and Path(self.weights).is_file():
            status = Path(self.weights).stat()
            content["weights"] = [str(Path(self.weights).resolve()), status.st_size, status.st_mtime_ns]
        kind, colon, place = self.data.partition(":")
        if colon:
            content["data"] = [kind, *_stamp(Path(place).expanduser().resolve())]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def check(self) -> None:
        """Raise InputError for a setting that can be judged without loading anything."""
        if self.pooling not in POOLINGS:
            raise unknown("pooling", self.pooling, POOLINGS)
        if self.samples is not None and self.samples < 4:
            raise InputError(f"`samples` must be at least 4; found {self.samples}")


def _stamp(place: Path) -> list[str | int]:
    """Return a path with the times of the file, or of the folders down to those of the classes."""
    folders = sorted(path for path in place.glob("*/*") if path.is_dir()) if place.is_dir() else []
    return [str(place), *(path.stat().st_mtime_ns for path in (place, *folders) if path.exists())]
