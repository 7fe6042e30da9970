"""The student that a plan's teacher gets when none is named."""

from __future__ import annotations

from pursuhint.data import load_data
from pursuhint.errors import InputError
from pursuhint.plan import HintPlan
from pursuhint.preprocess import parse_preprocess
from pursuhint.progress import Progress, silent
from pursuhint.students.card import StudentCard, describe_student
from pursuhint.students.proposal import Proposal, propose_students, such_as
from pursuhint.students.target import Target


def automatic_student(
    target: Target, plan: HintPlan, *, data: str | None = None, progress: Progress = silent
) -> tuple[StudentCard, Proposal]:
    """Return what is known of a plan's teacher, and the student of its family nearest to a target.

    Args:
        target: how much smaller the student shall be.
        plan: with the teacher.
        data: spec of the data set; the plan's when None.
        progress: is told about decoding images.

    Raises:
        InputError: the data cannot be loaded, or the teacher's family has nothing smaller, or nothing that
            is worth the name where much was wanted.
    """
    images = load_data(data or plan.data, progress=progress).train.images(slice(0, 1))
    shape = parse_preprocess(plan.teacher.preprocess).shape_of(images)
    classes = plan.teacher.classes
    teacher = describe_student(plan.teacher.spec, classes, shape)
    (nearest,) = propose_students(
        plan.teacher.spec, classes, shape, compression=target.compression, by=target.by, count=1
    )
    ratio = target.ratio(describe_student(nearest.spec, classes, shape), teacher)
    if target.is_refused(ratio):
        raise InputError(
            f"a student with {target.compression:g} times fewer {target.words} than `{teacher.spec}` is "
            f"wanted, and the nearest of its family, `{nearest.spec}`, has {ratio:.2f} times fewer; name "
            f"that one if you mean it, or one of another family{such_as(target, teacher, classes, shape)}"
        )
    return teacher, nearest
