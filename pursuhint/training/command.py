"""The command line that starts a training without a teacher, from its settings."""

from __future__ import annotations

import shlex

from pursuhint.training.settings import RunSettings

RARE = (
    "augmentation",
    "accumulate",
    "mix",
    "mix_alpha",
    "ema",
    "select",
    "label_smoothing",
    "precision",
    "compile",
)
"""Settings that are seldom given, called the same on the command line."""


def train_options(settings: RunSettings, *, threads: int | None = None) -> list[str]:
    """Write the options of ``pursuhint train`` that give the same training.

    Args:
        settings: of a run of the kind ``train``.
        threads: that it took, when the settings leave them open.

    Returns:
        One text for each option, with its value.

    Example:
        >>> from pursuhint.training.settings import make_settings
        >>> plain = make_settings(kind="train", student="zoo:resnet8", data="digits", preprocess="digits")
        >>> train_options(plain)[:3], train_options(plain, threads=2)[-1]
        (['--model zoo:resnet8', '--data digits', '--epochs 30'], '--threads 2')
    """
    usual = {name: field.default for name, field in RunSettings.model_fields.items()}
    rare = {name: getattr(settings, name) for name in RARE if getattr(settings, name) != usual[name]}
    given = {
        "model": settings.student,
        "data": settings.data,
        "recipe": settings.recipe,
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "lr": exact(settings.learning_rate),
        "weight_decay": exact(settings.weight_decay),
        "schedule": settings.schedule,
        "preprocess": settings.preprocess,
        "weights": settings.init,
        "trunk_rate": exact(settings.trunk_rate) if settings.trunk_rate != 1 else None,
        "limit": settings.limit,
        "seed": settings.seed,
        "name": settings.name or None,
        "threads": settings.threads or threads,
        **rare,
    }
    return [
        f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, value in given.items()
        if value is not None
    ]


def exact(value: float) -> str:
    """Write a number as short as it can be read back unchanged.

    Example:
        >>> exact(4.0), exact(1e-4), exact(0.012345678)
        ('4', '0.0001', '0.012345678')
    """
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def train_command(settings: RunSettings) -> str:
    """Write the command that starts the same training in a process of its own, an option a line."""
    return " \\\n    ".join(["pursuhint train", *train_options(settings), "--detach"])
