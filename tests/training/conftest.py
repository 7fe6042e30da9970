"""Runs of the trainer in this process, with everything that it records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pursuhint.progress import silent
from pursuhint.training.settings import RunSettings

TIMES = ("time", "seconds", "images_per_second")


@dataclass
class Recorded:
    """What a trainer said and left."""

    events: list[dict[str, Any]] = field(default_factory=list)
    trainer: Any = None
    final: dict[str, Any] | None = None

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind without what a clock says."""
        return [{k: v for k, v in e.items() if k not in TIMES} for e in self.events if e["kind"] == kind]

    @property
    def student(self) -> dict[str, Any]:
        """The trained weights."""
        return self.trainer.distiller.student.state_dict()


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., Recorded]:
    """Train: ``train(settings, folder=..., stop_after=n)``; n steps at most, None for all of them."""
    from pursuhint.training.loop import Stopped, Trainer
    from pursuhint.training.prepare import load_parts

    def run(
        settings: RunSettings, *, folder: str = "checkpoints", stop_after: int | None = None, watch=None
    ) -> Recorded:
        recorded, asked = Recorded(), iter(range(10**9))
        parts = load_parts(settings)
        if watch:
            watch(parts)
        recorded.trainer = Trainer(
            settings,
            parts,
            folder=tmp_path / folder,
            record=lambda kind, **fields: recorded.events.append({"kind": kind, **fields}),
            should_stop=lambda: stop_after is not None and next(asked) >= stop_after,
        )
        recorded.trainer._heed = silent  # what is counted is steps, not looks between the images of a score
        try:
            recorded.trainer.start()
            recorded.final = recorded.trainer.run()
        except Stopped as stop:
            recorded.events.append({"kind": "stopped", "text": str(stop)})
        return recorded

    return run
