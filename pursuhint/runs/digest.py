"""What a run's journal says in short, kept beside it so that a list of runs needs no journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from pursuhint.errors import StorageError
from pursuhint.files import write_json
from pursuhint.jobs import Event
from pursuhint.runs.history import History
from pursuhint.training.settings import RunSettings

FILE = "digest.json"
VERSION = 2
NO_METRIC = ("kind", "time", "selection")
"""What the last entry of a run holds besides figures."""


class Digest(BaseModel):
    """A run in short.

    Attributes:
        journal: bytes of the journal that this was made from; it only ever grows.
        states: the latest change of state, if any; whether it holds depends on whether the process lives.
        facts: what the summary says besides.
        settings: see `settings_table`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = VERSION
    journal: int
    states: list[Event]
    facts: dict[str, Any]
    settings: dict[str, Any]


def make_digest(history: History, settings: RunSettings, *, journal: int) -> Digest:
    """Sum up a run.

    Args:
        history: of its journal.
        settings: of the run.
        journal: bytes that the journal had.
    """
    started = history.facts.get("start", {})
    facts = {
        "title": settings.title,
        "epoch": history.epochs[-1]["epoch"] if history.epochs else 0,
        "epochs": settings.epochs,
        "selection": settings.select,
        "metrics": latest_metrics(history),
        "parameters": started.get("parameters"),
        "compression": started.get("compression"),
    }
    return Digest(
        journal=journal,
        states=history.states[-1:],
        facts=facts,
        settings=settings_table(settings),
    )


def latest_metrics(history: History) -> dict[str, float]:
    """Return the last value of each figure that a run has recorded."""
    metrics: dict[str, float] = {}
    if history.steps:
        last = history.steps[-1]
        metrics = {"loss": last["total"]} | {f"loss_{term}": v for term, v in last["weighted"].items()}
        metrics["learning_rate"] = last["learning_rate"]
    if history.epochs:
        names = ("validation_accuracy", "validation_cross_entropy", "images_per_second")
        metrics |= {name: history.epochs[-1][name] for name in names}
    final = history.facts.get("final", {})
    return metrics | {name: value for name, value in final.items() if name not in NO_METRIC}


def settings_table(settings: RunSettings) -> dict[str, Any]:
    """Return a run's settings as one flat table of plain values; of the plan what was chosen.

    Example:
        >>> from pursuhint.training.settings import make_settings
        >>> run = make_settings(kind="train", student="zoo:resnet8", data="digits", preprocess="digits")
        >>> settings_table(run)["student"], settings_table(run)["weights.mode"]
        ('zoo:resnet8', 'balanced')
    """
    table: dict[str, Any] = {}
    for name, value in settings.model_dump(mode="json", exclude={"name", "plan", "pairs"}).items():
        if isinstance(value, dict):
            table |= {f"{name}.{inner}": number for inner, number in value.items()}
        else:
            table[name] = value
    if settings.plan:
        plan = settings.plan
        table |= {
            "teacher": plan.teacher.spec,
            "teacher_hash": plan.teacher.hash,
            "metric": plan.metric,
            "method": plan.method,
            "clusters": len(plan.clusters),
            "hint_points": list(plan.hint_points) if settings.hint_loss != "none" else [],
        }
    return table


def read_digest(run: Path, journal: int) -> Digest | None:
    """Return the digest in a run's folder when it was made from a journal of this size."""
    try:
        digest = Digest.model_validate_json((run / FILE).read_bytes())
    except (OSError, ValidationError):  # there is none, or another version's: it is made anew
        return None
    return digest if (digest.version, digest.journal) == (VERSION, journal) else None


def keep_digest(run: Path, digest: Digest) -> None:
    """Keep a digest; a folder that cannot be written is read without one."""
    try:
        write_json(run / FILE, digest.model_dump(mode="json"))
    except StorageError:
        return
