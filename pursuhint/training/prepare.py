"""From settings to data, teacher, student and pairs: what can be refused is refused here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pursuhint.augment import POLICIES
from pursuhint.data import ImageData, load_data
from pursuhint.data.images import choose_images
from pursuhint.errors import InputError, unknown
from pursuhint.layers import Layer, candidate_layers
from pursuhint.losses import build_losses
from pursuhint.models import BuiltModel, build_model
from pursuhint.pairs import Pair, check_pairs, default_pairs
from pursuhint.preprocess import Preprocess, parse_preprocess
from pursuhint.progress import Progress, silent
from pursuhint.recorder import module_path
from pursuhint.teacher import Teacher, load_teacher
from pursuhint.training.batches import Batches
from pursuhint.training.distiller import Distiller
from pursuhint.training.mixing import Mixing
from pursuhint.training.processes import Processes
from pursuhint.training.settings import RunSettings


@dataclass(frozen=True)
class Parts:
    """What a run works with."""

    data: ImageData
    preprocess: Preprocess
    augmentation: str
    student: BuiltModel
    student_layers: tuple[Layer, ...]
    teacher: Teacher | None
    teacher_layers: tuple[Layer, ...]
    pairs: tuple[Pair, ...]

    def pair_table(self) -> list[dict[str, Any]]:
        """Return the pairs with the shapes on both sides, as plain values."""
        shape = {("t", layer.name): layer.shape for layer in self.teacher_layers}
        shape |= {("s", layer.name): layer.shape for layer in self.student_layers}
        return [
            {
                "hint": pair.hint,
                "guided": pair.guided,
                "hint_shape": list(shape["t", pair.hint]),
                "guided_shape": list(shape["s", pair.guided]),
            }
            for pair in self.pairs
        ]


def load_parts(settings: RunSettings, *, progress: Progress = silent) -> Parts:
    """Load everything a run needs.

    Raises:
        InputError: a part cannot be loaded, or the parts do not fit each other.
    """
    data = load_data(settings.data, progress=progress)
    augmentation = settings.augmentation or data.augmentation
    if augmentation not in POLICIES:
        raise unknown("augmentation", augmentation, POLICIES)
    preprocess = parse_preprocess(settings.preprocess)
    teacher = _load_plan_teacher(settings, data) if settings.plan else None
    torch.manual_seed(settings.seed)
    student = build_model(
        settings.student, classes=len(data.classes), weights=Path(settings.init) if settings.init else None
    )
    sample = torch.as_tensor(data.train.images(slice(0, 1)))
    shape = tuple(preprocess.apply(sample).shape[1:])
    student_layers = tuple(candidate_layers(student.model, shape))
    pairs, teacher_layers = (), ()
    if teacher is not None:
        paths = [module_path(name) for name in settings.plan.layers]
        offered = candidate_layers(teacher.model, shape, include=paths)
        teacher_layers = tuple(layer for layer in offered if layer.name in settings.plan.layers)
        if settings.hint_loss != "none":
            pairs = settings.pairs or settings.plan.pairs
            pairs = pairs or default_pairs(settings.plan.hint_points, settings.plan.layers, student_layers)
            check_pairs(pairs, settings.plan.hint_points, student_layers)
    return Parts(
        data, preprocess, augmentation, student, student_layers, teacher, teacher_layers, tuple(pairs)
    )


def build_distiller(settings: RunSettings, parts: Parts) -> Distiller:
    """Build the student with the losses of the settings."""
    losses = build_losses(
        hint_loss=settings.hint_loss,
        logit_loss=settings.logit_loss,
        pairs=parts.pairs,
        temperature=settings.temperature,
    )
    return Distiller(parts.student.model, losses, parts.pairs)


def build_batches(settings: RunSettings, parts: Parts, processes: Processes) -> Batches:
    """Build this process's batches of the settings' training images."""
    train = parts.data.train
    if settings.limit is not None:
        train = choose_images(train, settings.limit, option="limit")
    mixing = None
    if settings.mix != "none":
        mixing = Mixing(settings.mix, settings.mix_alpha, classes=len(parts.data.classes), seed=settings.seed)
    return Batches(
        train,
        parts.preprocess,
        augmentation=parts.augmentation,
        batch_size=settings.batch_size,
        seed=settings.seed,
        device=processes.fabric.device,
        mixing=mixing,
        accumulate=settings.accumulate,
        rank=processes.rank,
        processes=processes.count,
    )


def _load_plan_teacher(settings: RunSettings, data: ImageData) -> Teacher:
    """Load the plan's teacher and make sure that it is the one the plan was made for."""
    ref = settings.plan.teacher
    if ref.classes != len(data.classes):
        raise InputError(
            f"the plan's teacher tells {ref.classes} classes apart, `{settings.data}` has "
            f"{len(data.classes)}; "
            f"use the data it was trained on"
        )
    teacher = load_teacher(
        ref.spec,
        weights=settings.teacher_weights or ref.weights,
        data=data,
        preprocess=ref.preprocess,
        device=settings.device,
    )
    settings.plan.check_teacher(teacher.hash)
    return teacher
