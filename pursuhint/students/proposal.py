"""Students that are proposed for a teacher: those of its family that come nearest to a wanted size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pursuhint.errors import InputError
from pursuhint.students.card import StudentCard, describe_student
from pursuhint.students.known import smaller_students
from pursuhint.students.relatives import Relative, family_of
from pursuhint.students.target import DEFAULT_COMPRESSION, By, Target


@dataclass(frozen=True)
class Proposal:
    """A student beside its teacher.

    Attributes:
        spec: its name in full.
        parameters: number of trainable values.
        flops: for one image; a multiply-add is two.
        layers: number of candidate layers.
        compression: parameters of the teacher / those of the student.
        flops_ratio: the same of the FLOPs.
        latency: seconds for one image; None until it was measured.
        remark: that it misses what was wanted clearly; nothing when it does not, or nothing was wanted.
    """

    spec: str
    parameters: int
    flops: int
    layers: int
    compression: float
    flops_ratio: float
    latency: float | None = None
    remark: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @staticmethod
    def of(student: StudentCard, teacher: StudentCard, target: Target | None = None) -> Proposal:
        """Set a student beside its teacher, and beside what was wanted."""
        return Proposal(
            spec=student.spec,
            parameters=student.parameters,
            flops=student.flops,
            layers=len(student.layers),
            compression=teacher.parameters / student.parameters,
            flops_ratio=teacher.flops / student.flops,
            remark=target.remark(student.spec, target.ratio(student, teacher)) if target else "",
        )


def propose_students(
    teacher_spec: str,
    classes: int,
    image_shape: tuple[int, int, int],
    *,
    compression: float = DEFAULT_COMPRESSION,
    by: By = "parameters",
    count: int = 3,
) -> tuple[Proposal, ...]:
    """Propose students of the teacher's family that come nearest to a compression.

    Nearest is the least absolute logarithm of found / wanted ratio. Of zoo networks that differ in width
    only, the nearest one is proposed, so that the proposals differ in depth. Of two that are equally near,
    the deeper one comes first: it has more blocks to choose guided layers from. No student has as many
    parameters as its teacher, or more FLOPs.

    Args:
        teacher_spec: name of the teacher, see `pursuhint.models.parse_spec`.
        classes: number of outputs.
        image_shape: channels, height, width.
        compression: wanted ratio, teacher to student.
        by: what the ratio is of.
        count: most proposals.

    Returns:
        The proposals, the nearest first.

    Raises:
        InputError: the target cannot be used, or the family has nothing smaller.

    Example:
        >>> best = propose_students("zoo:resnet56", 10, (3, 32, 32))[0]
        >>> best.spec, round(best.compression, 2)
        ('zoo:resnet32?width=0.855', 2.5)
    """
    target = Target(compression, by)
    if count < 1:
        raise InputError(f"`count` must be at least 1; found {count}")
    teacher = describe_student(teacher_spec, classes, image_shape)
    smaller = [
        one
        for one in family_of(teacher_spec, classes, image_shape)
        if one.parameters < teacher.parameters and one.flops <= teacher.flops
    ]
    if not smaller:
        raise InputError(
            f"nothing smaller than `{teacher.spec}` is known of its family; name a student of another one"
            f"{such_as(target, teacher, classes, image_shape)}"
        )
    nearest = _nearest(smaller, teacher, target)[:count]
    cards = (describe_student(one.spec, classes, image_shape) for one in nearest)
    return tuple(Proposal.of(card, teacher, target) for card in cards)


def such_as(target: Target, teacher: StudentCard, classes: int, image_shape: tuple[int, int, int]) -> str:
    """Name the known student nearest to a target, as an example; nothing when none is smaller."""
    known = smaller_students(teacher, classes, image_shape)
    lighter = [card for card in known if card.flops <= teacher.flops]
    nearest = min(lighter, key=lambda card: target.miss(target.ratio(card, teacher)), default=None)
    return f", such as `{nearest.spec}`" if nearest else ""


def _nearest(relatives: Iterable[Relative], teacher: StudentCard, target: Target) -> list[Relative]:
    """Return one relative a group, the nearest to the target first."""
    chosen: dict[str, Relative] = {}
    for one in sorted(relatives, key=lambda r: (target.miss(target.ratio(r, teacher)), -r.depth, r.spec)):
        chosen.setdefault(one.group, one)
    return list(chosen.values())
