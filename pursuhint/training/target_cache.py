"""Kept targets of earlier runs: found again by everything that they depend on, and capped in size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import numpy as np
import torch

from pursuhint.errors import StorageError
from pursuhint.home import targets_folder
from pursuhint.losses import Batch, HintLoss, Loss, Outputs
from pursuhint.training.kept_targets import KeptTargets
from pursuhint.training.prepare import Parts
from pursuhint.training.settings import RunSettings
from pursuhint.training.target_size import Shapes, bytes_needed, why_not_kept
from pursuhint.training.teaching import KeepingTeacher, Teaching, rows_of

FORMAT = 1
TOLERANCE = 1e-2
"""Largest relative difference of kept targets from the teacher's own; half precision makes about 3e-4."""


def keep_targets(
    live: Teaching,
    example: Batch,
    settings: RunSettings,
    parts: Parts,
    *,
    losses: list[Loss],
    ids: np.ndarray,
    warn: Callable[[str], None],
) -> KeepingTeacher | None:
    """Make a teacher that keeps its targets, if they fit.

    Args:
        live: the teacher.
        example: view 0 of a few images.
        settings: of the run, with `keep_targets`.
        parts: of the run.
        losses: of the run, prepared.
        ids: int64, shape (n,): the run's training images.
        warn: is told why targets are not kept.

    Returns:
        None, after a warning, when the targets would be too large or those on disk are not this teacher's.
    """
    hint_losses = [loss for loss in losses if isinstance(loss, HintLoss)]

    def targets(outputs: Outputs) -> dict[str, torch.Tensor]:
        return {name: value for loss in hint_losses for name, value in loss.targets(outputs).items()}

    with torch.no_grad():
        rows = rows_of(live(example, 0), targets)
    shapes = {name: tuple(value.shape[1:]) for name, value in rows.items()}
    folder = targets_folder() / targets_key(settings, parts, ids, shapes, device=example.images.device.type)
    views = settings.keep_targets
    needed = bytes_needed(shapes, images=len(ids), views=views)
    if reason := why_not_kept(needed, views, limit=settings.targets_limit, folder=folder):
        warn(f"the teacher's targets are not kept: {reason}")
        return None
    try:
        card = {"teacher": parts.teacher.spec, "data": settings.data, "views": views}
        kept = KeptTargets(folder, ids=ids, views=views, shapes=shapes, card=card)
    except StorageError as error:
        warn(f"the teacher's targets are not kept: {error}")
        return None
    teacher = KeepingTeacher(live, targets, kept)
    if not _agree(kept, example, rows):
        kept.close()
        warn(
            f"the teacher's targets are not kept: those in `{folder}` are not its own or are damaged; remove "
            f"them with `pursuhint cache clear {folder.name}`"
        )
        return None
    return teacher


def targets_key(settings: RunSettings, parts: Parts, ids: np.ndarray, shapes: Shapes, *, device: str) -> str:
    """Hash everything that the targets depend on to 16 hexadecimal digits.

    The kind of device too, and whether the teacher is compiled: what a GPU said would not give a run on a CPU
    its own last digits.

    The names of guided layers and of the student are not part of it: runs with other students share targets
    that have the same shapes.
    """
    hints = [pair.hint for pair in parts.pairs]
    what = {
        "format": FORMAT,
        "teacher": parts.teacher.hash,
        "data": parts.data.id,
        "ids": hashlib.sha256(np.sort(ids).tobytes()).hexdigest(),
        "augmentation": parts.augmentation,
        "seed": settings.seed,
        "views": settings.keep_targets,
        "preprocess": parts.preprocess.text,
        "precision": settings.precision,
        "compiled": settings.compile != "off",
        "device": device,
        "hint_loss": settings.hint_loss,
        "hints": hints,
        "shapes": list(shapes.values()),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def _agree(kept: KeptTargets, example: Batch, rows: dict[str, torch.Tensor]) -> bool:
    """Compare what is kept of the example images with what the teacher says now."""
    there = torch.from_numpy(~kept.missing(0, example.ids)).to(example.ids.device)
    if not there.any():
        return True
    found = kept.read(0, example.ids[there])
    return all(
        bool((found[name] - rows[name][there].float()).norm() <= TOLERANCE * rows[name][there].float().norm())
        for name in found
    )
