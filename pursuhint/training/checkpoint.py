"""Checkpoints of a run: everything needed to go on, under a name that says where it stands."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pursuhint.errors import InputError, PursuhintError
from pursuhint.files import write_atomic

FORMAT = 2
KEPT = 2
"""How many of the latest checkpoints stay, so that a damaged one does not end the run."""
NAME = re.compile(r"epoch-(\d+)-step-(\d+)\.pt$")


class _DamagedError(Exception):
    """A file is not as it was written."""


@dataclass
class Checkpoint:
    """A moment of a run.

    Attributes:
        epoch: the epoch to go on with; `step` the batches of it that are done.
        distiller: state of student and regressors; `optimizer` of the optimiser.
        weights: the settled weights of the terms.
        best_accuracy, best_epoch: on the selecting part so far; epoch -1 before the first.
        best: state of the student of that epoch; one file holds it all, so that none is of another moment.
        threads: CPU threads the run used until here.
        window: sums of the losses since they were last recorded, over `window_steps` steps.
        processes: that trained together until here.
        average: state of the averaged student, when weights are averaged.
        scaler: state of the loss scaling, when there is one.
        views: in which each image was shown over and over until here; 0 for a new one every epoch.
    """

    epoch: int
    step: int
    distiller: dict[str, Tensor]
    optimizer: dict[str, Any]
    weights: dict[str, float]
    best_accuracy: float
    best_epoch: int
    best: dict[str, Tensor]
    threads: int
    window: dict[str, Tensor] = field(default_factory=dict)
    window_steps: int = 0
    processes: int = 1
    average: dict[str, Tensor] = field(default_factory=dict)
    scaler: dict[str, Any] = field(default_factory=dict)
    views: int = 0


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint and drop all but the latest `KEPT`.

    Raises:
        PursuhintError: the disk is full; what was there stays.
    """
    path = folder / f"epoch-{checkpoint.epoch:04d}-step-{checkpoint.step:06d}.pt"
    content = {one.name: getattr(checkpoint, one.name) for one in fields(checkpoint)}
    # Into memory first: writing the file itself, torch.save makes an error of its own of a full disk.
    buffer = io.BytesIO()
    torch.save(content | {"format": FORMAT}, buffer)
    write_atomic(path, lambda file: file.write(buffer.getbuffer()) and None)
    for old in checkpoints(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def _load(path: Path) -> dict[str, Any]:
    """Read a file that is whole and of which no byte has changed, which torch alone does not notice."""
    try:
        with zipfile.ZipFile(path) as parts:
            if parts.testzip():
                raise zipfile.BadZipFile
        return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes end in a dozen kinds of error
        raise _DamagedError from error


def checkpoints(folder: Path) -> list[Path]:
    """List a run's checkpoints, oldest first."""
    found = [path for path in folder.glob("epoch-*.pt") if NAME.search(path.name)]
    return sorted(found, key=lambda path: tuple(int(part) for part in NAME.search(path.name).groups()))


def latest_checkpoint(folder: Path) -> tuple[Checkpoint, list[str]] | None:
    """Load the newest checkpoint that is whole.

    Returns:
        The checkpoint and the names of damaged newer ones; None when there is no checkpoint at all.

    Raises:
        PursuhintError: there are checkpoints, and none can be read.
    """
    damaged: list[str] = []
    for path in reversed(checkpoints(folder)):
        try:
            content = _load(path)
            if content.pop("format") != FORMAT:
                raise InputError(f"`{path}` was written by another version; start the run anew")
            return Checkpoint(**content), damaged
        except (_DamagedError, TypeError, KeyError, AttributeError):
            damaged.append(path.name)
    if damaged:
        raise PursuhintError(
            f"no checkpoint in `{folder}` can be read ({', '.join(damaged)}); start the run anew"
        )
    return None
