"""What the first steps of a run take, measured on a trainer that has started and is given up afterwards."""

from __future__ import annotations

import itertools
import resource
import sys
import time
from copy import deepcopy
from pathlib import Path
from statistics import fmean

import torch

from pursuhint.data.images import choose_images
from pursuhint.export import export_student
from pursuhint.teacher import score
from pursuhint.training.checkpoint import save_checkpoint
from pursuhint.training.loop import Trainer
from pursuhint.training.loss_names import part_of, parts_in
from pursuhint.training.resume import capture
from pursuhint.training.schedule import learning_rate
from pursuhint.training.window import step_entry

SECONDS = 3.0
"""Steps are timed for about so long."""
FEWEST, MOST, WARM_UP = 3, 50, 2
"""Steps: at least, at most, and how many of them are taken before the clock starts."""
SCORED = 500
"""Images that are scored for the time it takes."""


def take_steps(trainer: Trainer) -> tuple[dict[str, float], float]:
    """Take steps until their time is known.

    Returns:
        The unweighted losses of the first step, part by part, and seconds a step.
    """
    settings, first, taken = trainer.settings, {}, []
    batches = trainer.batches.epoch(0)
    for step in range(min(trainer.batches.steps, MOST)):
        began = time.perf_counter()
        rate = learning_rate(settings, step / trainer.batches.steps)
        values = trainer.step(itertools.islice(batches, settings.accumulate), rate, 0, step)
        raw = step_entry(values)["raw"]  # numbers: read when a GPU has computed them
        taken.append(time.perf_counter() - began)
        first = first or raw
        if len(taken) >= FEWEST and sum(taken) > SECONDS:
            break
    losses = {
        part: sum(value for name, value in first.items() if part_of(name) == part) for part in parts_in(first)
    }
    return losses, fmean(taken[WARM_UP:] or taken)


def teacher_seconds(trainer: Trainer) -> float:
    """Measure what the teacher takes of a step; 0 when no loss asks it."""
    parts = list(trainer.batches.parts(0, 0))
    taken = []
    for _ in range(FEWEST):
        began = time.perf_counter()
        for part in parts:
            if (taught := trainer.teach(part)) is None:
                return 0.0
            float(taught.logits.sum())  # waits for a GPU
        taken.append(time.perf_counter() - began)
    return min(taken)


def scoring_seconds(trainer: Trainer) -> float:
    """Measure on some images how long the student is scored after an epoch."""
    data = trainer.parts.data
    splits = [data.validation, *([data.test] if trainer.settings.select == "test" else [])]
    images = choose_images(data.validation, min(SCORED, len(data.validation)))
    began = time.perf_counter()
    score(trainer.distiller.student, images, trainer.parts.preprocess)
    return (time.perf_counter() - began) / len(images) * sum(map(len, splits))


def write_once(trainer: Trainer, folder: Path) -> None:
    """Save and export what there is, as the run would.

    Raises:
        PursuhintError: it cannot be written, or the exported student differs from the trained one.
    """
    save_checkpoint(folder, capture(trainer))
    export_student(
        deepcopy(trainer.distiller.student).float(),  # as the best student is, whatever it trains in
        folder / "student.safetensors",
        settings=trainer.settings,
        parts=trainer.parts,
        figures={},
    )


def peak_bytes(trainer: Trainer) -> int:
    """Return the most memory that was in use: of the GPU's, or of this process on the CPU."""
    if trainer.fabric.device.type == "cuda":
        return torch.cuda.max_memory_allocated(trainer.fabric.device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # which counts bytes, Linux kibibytes
