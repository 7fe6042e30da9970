"""From the choices on the Distill page to a run, and to the command that does the same."""

from __future__ import annotations

import logging
import shlex
from dataclasses import asdict
from typing import Any

from app.recipe import Recipe
from pursuhint.pairs import Pair, check_pairs
from pursuhint.plan import HintPlan
from pursuhint.runs import create_run
from pursuhint.students import StudentCard
from pursuhint.training.check import check_settings
from pursuhint.training.command import exact
from pursuhint.training.settings import RunSettings, make_settings
from pursuhint.training.weight_presets import WEIGHT_PRESETS

LOG = logging.getLogger("pursuhint.app")
RARE = {
    "mix": "--mix",
    "ema": "--ema",
    "select": "--select",
    "accumulate": "--accumulate",
    "precision": "--precision",
    "compile": "--compile",
    "keep_targets": "--keep-targets",
    "targets_limit": "--targets-limit",
}
"""Setting that is seldom changed, called the same in a recipe -> option of the command line."""


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
        weights=weights(recipe),
        weight_schedule={term: getattr(recipe, f"{term}_schedule") for term in recipe.terms[1:]},
        label_smoothing=recipe.label_smoothing,
        recipe=recipe.training,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        seed=recipe.seed,
        threads=recipe.threads,
        **{name: getattr(recipe, name) for name in RARE},
    )
    check_settings(wanted, student_is_known=True)
    return wanted


def weights(recipe: Recipe) -> dict[str, Any]:
    """Return the weights of a recipe as settings say them.

    Example:
        >>> weights(Recipe(weights="repdistiller-at"))
        {'preset': 'repdistiller-at'}
    """
    if recipe.weights in WEIGHT_PRESETS:
        return {"preset": recipe.weights}
    return {"mode": recipe.weights} | asdict(recipe.numbers)


def start(wanted: RunSettings) -> str:
    """Start a run in a process of its own and return its id."""
    run = create_run(wanted)
    run.launch()
    LOG.info("started run %s", run.id)
    return run.id


def command(wanted: RunSettings) -> str:
    """Write the command that starts the same run from the saved plan."""
    options = {
        "--plan": "plan.json",
        "--student": wanted.student,
        "--hint-loss": wanted.hint_loss,
        "--logit-loss": wanted.logit_loss,
        **_weight_options(wanted),
        "--temperature": exact(wanted.temperature),
        "--recipe": wanted.recipe,
        "--epochs": wanted.epochs,
        "--batch-size": wanted.batch_size,
        "--lr": exact(wanted.learning_rate),
        "--label-smoothing": wanted.label_smoothing or None,
        "--seed": wanted.seed,
        "--threads": wanted.threads,
        **_rare_options(wanted),
        "--name": wanted.name or None,
    }
    parts = [f"{option} {shlex.quote(str(value))}" for option, value in options.items() if value is not None]
    parts += ["--balance"] * (wanted.weights.mode == "balanced")
    parts += [f"--pair {shlex.quote(f'{pair.hint}={pair.guided}')}" for pair in wanted.pairs]
    parts += ["--allow-crossing"] * wanted.allow_crossing
    parts += ["--allow-weak-teacher"] * wanted.allow_weak_teacher
    return " \\\n    ".join(["pursuhint distill", *parts, "--detach"])


def python(wanted: RunSettings) -> str:
    """Write the Python that does the same run from the saved plan."""
    plain = make_settings(
        kind="distill",
        plan=wanted.plan,
        student=wanted.student,
        data=wanted.data,
        preprocess=wanted.preprocess,
    )
    given, usual = (one.model_dump(exclude={"plan", "student"}) for one in (wanted, plain))
    named = {"hint_loss": wanted.hint_loss, "logit_loss": wanted.logit_loss} | {
        name: value for name, value in given.items() if value != usual[name]
    }
    lines = [f"    {name}={value!r}," for name, value in named.items()]
    head = f'    HintPlan.load("plan.json"),\n    {wanted.student!r},'
    return "\n".join(["from pursuhint import HintPlan, distill", "", "run = distill(", head, *lines, ")"])


def _rare_options(wanted: RunSettings) -> dict[str, Any]:
    fields = RunSettings.model_fields
    given = {name: getattr(wanted, name) for name in RARE}
    return {RARE[name]: value for name, value in given.items() if value != fields[name].default}


def _weight_options(wanted: RunSettings) -> dict[str, Any]:
    """Return the options for weights and their schedules; None for one that is not needed."""
    preset, schedules = wanted.weights.preset, wanted.weight_schedule.model_dump()
    numbers = {f"--weight-{term}": exact(getattr(wanted.weights, term)) for term in ("cls", "logit", "hint")}
    rising = {f"--schedule-{term}": schedules[term] for term in ("logit", "hint")}
    return {"--weights-preset": preset, **({} if preset else numbers)} | {
        option: schedule for option, schedule in rising.items() if schedule != "constant"
    }
