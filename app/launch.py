"""From the choices on the Distill page to a run, and to the command that does the same."""

from __future__ import annotations

import shlex
from dataclasses import asdict

from app.state import Recipe
from pursuhint.pairs import Pair, check_pairs
from pursuhint.plan import HintPlan
from pursuhint.runs import create_run
from pursuhint.students import StudentCard
from pursuhint.training.check import check_settings
from pursuhint.training.settings import RunSettings, make_settings


def settings(
    recipe: Recipe,
    plan: HintPlan,
    student: StudentCard,
    pairs: tuple[Pair, ...],
    *,
    allow_weak_teacher: bool = False,
) -> RunSettings:
    """Return the settings of a run.

    Args:
        recipe: how to train.
        plan: the hint points.
        student: what is known of it.
        pairs: hint points and guided layers.
        allow_weak_teacher: as it was for the analysis of the teacher.

    Raises:
        InputError: they cannot be used.
    """
    check_pairs(pairs, plan.hint_points, student.layers, allow_crossing=recipe.allow_crossing)
    wanted = make_settings(
        kind="distill",
        name=recipe.name,
        student=student.spec,
        data=plan.data,
        preprocess=plan.teacher.preprocess,
        plan=plan,
        pairs=pairs if recipe.hint_loss != "none" else (),
        allow_crossing=recipe.allow_crossing,
        allow_weak_teacher=allow_weak_teacher,
        hint_loss=recipe.hint_loss,
        logit_loss=recipe.logit_loss,
        temperature=recipe.temperature,
        weights={"mode": "balanced" if recipe.balanced else "fixed"} | asdict(recipe.numbers),
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        seed=recipe.seed,
        threads=recipe.threads,
    )
    check_settings(wanted, student_is_known=True)
    return wanted


def start(wanted: RunSettings) -> str:
    """Start a run in a process of its own and return its id."""
    run = create_run(wanted)
    run.launch()
    return run.id


def command(wanted: RunSettings) -> str:
    """Write the command that starts the same run from the saved plan."""
    weights = wanted.weights
    options = {
        "--plan": "plan.json",
        "--student": wanted.student,
        "--hint-loss": wanted.hint_loss,
        "--logit-loss": wanted.logit_loss,
        "--weight-cls": f"{weights.cls:g}",
        "--weight-logit": f"{weights.logit:g}",
        "--weight-hint": f"{weights.hint:g}",
        "--temperature": f"{wanted.temperature:g}",
        "--epochs": str(wanted.epochs),
        "--batch-size": str(wanted.batch_size),
        "--lr": f"{wanted.learning_rate:g}",
        "--seed": str(wanted.seed),
    }
    parts = [f"{option} {shlex.quote(value)}" for option, value in options.items()]
    parts += ["--balance"] * (weights.mode == "balanced")
    parts += [f"--pair {shlex.quote(f'{pair.hint}={pair.guided}')}" for pair in wanted.pairs]
    parts += ["--allow-crossing"] * wanted.allow_crossing
    parts += ["--allow-weak-teacher"] * wanted.allow_weak_teacher
    parts += [f"--threads {wanted.threads}"] * (wanted.threads is not None)
    parts += [f"--name {shlex.quote(wanted.name)}"] * bool(wanted.name)
    return " \\\n    ".join(["pursuhint distill", *parts, "--detach"])
