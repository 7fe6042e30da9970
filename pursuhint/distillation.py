"""Distillation in one call, for notebooks and scripts; the app and the command line make the same runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pursuhint.plan import HintPlan
from pursuhint.progress import Progress, silent
from pursuhint.runs import RunFolder, create_run
from pursuhint.students import parse_target
from pursuhint.students.automatic import automatic_student
from pursuhint.training.check import check_settings
from pursuhint.training.settings import make_settings


def distill(
    plan: HintPlan,
    student: str,
    *,
    hint_loss: str = "at",
    logit_loss: str = "kd",
    epochs: int | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: Progress = silent,
    now: bool = True,
    **settings: Any,
) -> RunFolder:
    """Distil a student from a hint plan, in this process.

    Args:
        plan: with the teacher, the data and the hint points.
        student: such as ``zoo:resnet20``; or ``auto``, ``auto:2.5``, ``auto:flops:4``: the one of the
            teacher's family that comes nearest to so many times fewer parameters or FLOPs.
        hint_loss: a name of `pursuhint.catalogue.HINT_FACTS`, or ``none``.
        logit_loss: a name of `pursuhint.catalogue.LOGIT_FACTS`, or ``none``.
        epochs: passes over the training images; those of the recipe, or 30, when None.
        seed: the same seed and number of threads give the same history on a CPU.
        folder: where runs are kept; the user's data folder when None.
        progress: is told after every epoch.
        now: train at once; False waits until no other run has the device.
        settings: further fields of `pursuhint.training.settings.RunSettings`.

    Returns:
        The finished run: its ``summary()``, its ``history()`` and the file of its ``student``.

    Raises:
        InputError: the settings cannot be used; PursuhintError: training failed.
    """
    from pursuhint.runs.worker import work

    if target := parse_target(student):
        _, found = automatic_student(target, plan, data=settings.get("data"), progress=progress)
        student = found.spec
    given = {"data": plan.data, "preprocess": plan.teacher.preprocess} | settings
    given |= {"epochs": epochs} if epochs is not None else {}
    chosen = make_settings(
        kind="distill",
        plan=plan,
        student=student,
        wanted=target,
        hint_loss=hint_loss,
        logit_loss=logit_loss,
        seed=seed,
        **given,
    )
    check_settings(chosen)
    run = create_run(chosen, folder=folder)
    work(run, progress=progress, now=now)
    return run
