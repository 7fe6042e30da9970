"""The student without a teacher: the finished run that a distillation is to be compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pursuhint.runs.setting_differences import setting_differences
from pursuhint.training.settings import RunSettings

SAME = ("student", "data", "preprocess", "epochs", "seed", "limit", "init", "trunk_rate", "select")
"""What must be equal for a comparison to say something about the teacher."""
TEACHING = (
    *("kind", "wanted", "wanted.compression", "wanted.by"),
    *("teacher", "metric", "method", "clusters", "hint_points", "teacher_weights", "allow_weak_teacher"),
    *("hint_loss", "logit_loss", "temperature", "allow_crossing", "keep_targets", "targets_limit"),
)
"""What a run without a teacher has no use for."""
FREE = ("device", "threads", "mirrors", "recipe")
"""What says how a run was carried out, or is told by other settings."""


@dataclass(frozen=True)
class Untaught:
    """A finished run of the same student without a teacher.

    Attributes:
        id, name: of that run.
        test_accuracy, validation_accuracy: 0 to 1.
        differs: settings that are not the same, of those that could matter less.
    """

    id: str
    name: str
    test_accuracy: float
    validation_accuracy: float
    differs: tuple[str, ...]


def is_untaught(settings: Mapping[str, Any]) -> bool:
    """Say whether a run with these settings (`settings_table`) has no teacher."""
    return settings.get("hint_loss") == settings.get("logit_loss") == "none"


def find_untaught(summary: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> Untaught | None:
    """Find the run that says what a student reaches without its teacher.

    Student, data, preprocessing, epochs, seed and selection are the same; of several runs the one that
    differs least in the rest, the newest first.

    Args:
        summary: of the run with a teacher.
        others: summaries, newest first.

    Returns:
        What it reached; None when there is no such run, or when the run has no teacher itself.
    """
    settings = summary["settings"]
    if is_untaught(settings):
        return None
    found = [
        Untaught(
            one["id"],
            one["name"],
            one["metrics"]["test_accuracy"],
            one["metrics"]["validation_accuracy"],
            _differing(settings, one["settings"]),
        )
        for one in others
        if one["state"] == "finished"
        and one["epoch"] == one["epochs"]  # not finished early
        and is_untaught(one["settings"])
        and all(one["settings"].get(name) == settings.get(name) for name in SAME)
    ]
    return min(found, key=lambda one: len(one.differs), default=None)


def _differing(settings: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    differing = setting_differences([settings, other])
    weights = ("weights.", "weight_schedule.")
    return tuple(
        name for name in differing if name not in (*TEACHING, *FREE) and not name.startswith(weights)
    )


def untaught_settings(settings: RunSettings) -> RunSettings:
    """Return the settings of the same student's run without the teacher.

    Example:
        >>> from pursuhint.training.settings import make_settings
        >>> run = make_settings(kind="train", student="zoo:resnet8", data="digits", preprocess="digits")
        >>> untaught_settings(run).title
        'resnet8 · no teacher'
    """
    alone = {name: RunSettings.model_fields[name].default for name in ("hint_loss", "logit_loss", "plan")}
    fields = settings.model_dump(exclude={*TEACHING, "plan", "pairs", "weights", "weight_schedule", "name"})
    return RunSettings.model_validate(fields | alone | {"kind": "train"})
