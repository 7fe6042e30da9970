"""From settings to data, teacher, student and pairs: what can be refused is refused here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pursuhint.adapters import describe_adapters
from pursuhint.augment import POLICIES
from pursuhint.data import ImageData, load_data
from pursuhint.data.images import choose_images
from pursuhint.errors import InputError, unknown
from pursuhint.guided import with_guided
from pursuhint.layers import Layer, candidate_layers
from pursuhint.losses import build_losses
from pursuhint.models import BuiltModel
from pursuhint.pairs import Pair, check_pairs, default_pairs, settle_pairs
from pursuhint.preprocess import Preprocess, parse_preprocess
from pursuhint.progress import Progress, silent
from pursuhint.recorder import module_path
from pursuhint.students import Proposal, describe_student
from pursuhint.teacher import Teacher, check_strength, load_teacher, score
from pursuhint.training.batches import Batches
from pursuhint.training.beginning import Beginning, begin
from pursuhint.training.distiller import Distiller
from pursuhint.training.mixing import Mixing
from pursuhint.training.processes import Processes
from pursuhint.training.settings import RunSettings
from pursuhint.training.trunk import freeze_trunk

N_CHECKED = 500
"""Validation images that tell whether a teacher knows this data."""


@dataclass(frozen=True)
class Parts:
    """What a run works with.

    Attributes:
        student_layers: its candidate layers, and guided layers that lie inside of them.
        teacher_layers: those of the plan.
        teacher_accuracy: on the validation images that it was checked on before the start.
        beginning: the student as the run begins with it; its network is `student`.
        proposal: the student beside its teacher, where it was found for a target.
    """

    data: ImageData
    preprocess: Preprocess
    augmentation: str
    student: BuiltModel
    student_layers: tuple[Layer, ...]
    teacher: Teacher | None
    teacher_layers: tuple[Layer, ...]
    pairs: tuple[Pair, ...]
    hint_loss: str = "none"
    teacher_accuracy: float | None = None
    beginning: Beginning | None = None
    proposal: Proposal | None = None

    def remarks(self) -> list[str]:
        """Return what is not wrong but likely not meant."""
        found = [self.proposal.remark] if self.proposal and self.proposal.remark else []
        if self.teacher is None or self.student.parameters <= self.teacher.parameters:
            return found
        return [
            *found,
            f"the student is larger than its teacher: `{self.student.spec}` has "
            f"{self.student.parameters:,} parameters, `{self.teacher.spec}` {self.teacher.parameters:,}",
        ]

    def pair_table(self) -> list[dict[str, Any]]:
        """Return the pairs with the shapes on both sides and how they meet, as plain values.

        Raises:
            InputError: the hint loss cannot compare the layers of a pair.
        """
        hints = {layer.name: layer.shape for layer in self.teacher_layers}
        guided = {layer.name: layer.shape for layer in self.student_layers}
        adapters = describe_adapters(self.pairs, guided, hints, self.hint_loss)
        return [
            {
                "hint": pair.hint,
                "guided": pair.guided,
                "hint_shape": list(hints[pair.hint]),
                "guided_shape": list(guided[pair.guided]),
                "adapter": adapter.text,
                "adapter_parameters": adapter.parameters,
            }
            for pair, adapter in zip(self.pairs, adapters, strict=True)
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
    beginning = begin(settings, len(data.classes))
    student = beginning.network
    shape = preprocess.shape_of(data.train.images(slice(0, 1)))
    student_layers = candidate_layers(student.model, shape)
    pairs, teacher_layers = (), ()
    if teacher is not None:
        paths = [module_path(name) for name in settings.plan.layers]
        offered = candidate_layers(teacher.model, shape, include=paths)
        teacher_layers = tuple(layer for layer in offered if layer.name in settings.plan.layers)
        if settings.hint_loss != "none":
            plan = settings.plan
            default = default_pairs(plan.hint_points, plan.layers, student_layers)
            pairs = settle_pairs(default, plan.pairs, settings.pairs)
            student_layers = with_guided(
                student.model, shape, student_layers, [pair.guided for pair in pairs]
            )
            check_pairs(pairs, plan.hint_points, student_layers, allow_crossing=settings.allow_crossing)
    proposal = None
    if settings.wanted and teacher is not None:
        cards = (describe_student(one.spec, len(data.classes), shape) for one in (student, teacher))
        proposal = Proposal.of(*cards, settings.wanted)
    parts = Parts(
        data,
        preprocess,
        augmentation,
        student,
        tuple(student_layers),
        teacher,
        teacher_layers,
        pairs,
        settings.hint_loss,
        _checked_accuracy(teacher, data, settings) if teacher else None,
        beginning,
        proposal,
    )
    parts.pair_table()  # what cannot be joined is refused here, before anything trains
    return parts


def _checked_accuracy(teacher: Teacher, data: ImageData, settings: RunSettings) -> float:
    """Return the teacher's accuracy on some validation images.

    Raises:
        InputError: it is near chance level, and that was not allowed.
    """
    images = choose_images(data.validation, min(N_CHECKED, len(data.validation)))
    accuracy = score(teacher.model, images, teacher.preprocess).accuracy
    check_strength(accuracy, images.labels, teacher.classes, allow_weak=settings.allow_weak_teacher)
    return accuracy


def build_distiller(settings: RunSettings, parts: Parts) -> Distiller:
    """Build the student with the losses of the settings."""
    losses = build_losses(
        hint_loss=settings.hint_loss,
        logit_loss=settings.logit_loss,
        pairs=parts.pairs,
        temperature=settings.temperature,
        label_smoothing=settings.label_smoothing,
    )
    student, resting = parts.student.model, ()
    if settings.trunk_rate == 0:
        resting = freeze_trunk(student, parts.beginning.head)
    return Distiller(student, losses, parts.pairs, resting=resting)


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
