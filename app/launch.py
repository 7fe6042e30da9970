"""From the choices on the Distill page to a run, and to the command that does the same."""

from __future__ import annotations

import shlex
from dataclasses import asdict

from app.state import Recipe
from pursuhint.pairs import Pair
from pursuhint.plan import HintPlan
from pursuhint.runs import create_run
from pursuhint.training.check import check_settings
from pursuhint.training.settings import RunSettings, make_settings


def settings(recipe: Recipe, plan: HintPlan, student: str, pairs: tuple[Pair, ...]) -> RunSettings:
    """Return the settings of a run.

    Args:
        recipe: how to train.
        plan: the hint points.
        student: its full name, which is known to exist.
        pairs: hint points and guided layers.

    Raises:
        InputError: they cannot be used.
    """
    wanted = make_settings(
        kind="distill",
        name=recipe.name,
        student=student,
        data=plan.data,
        preprocess=plan.teacher.preprocess,
        plan=plan,
        pairs=pairs if recipe.hint_loss != "none" else (),
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
    parts += [f"--threads {wanted.threads}"] * (wanted.threads is not None)
    parts += [f"--name {shlex.quote(wanted.name)}"] * bool(wanted.name)
    return " \\\n    ".join(["pursuhint distill", *parts, "--detach"])
