"""Runs written by hand, as the worker leaves them, without training anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pursuhint.jobs import Event
from pursuhint.runs import RunFolder, create_run
from pursuhint.training.settings import make_settings

ALONE = {"kind": "train", "student": "zoo:resnet8", "data": "digits", "preprocess": "digits"}


def step(number: int) -> Event:
    """Return a step as the trainer records it, two of them an epoch."""
    weighted = {"cls": 2.0 / number, "hint": 0.5 / number}
    return {
        "kind": "step",
        "epoch": number / 2,
        "step": number,
        "total": sum(weighted.values()),
        "raw": {"cls": 2.0 / number, "hint/a->b": 1.0 / number, "hint/c->d": 3.0},
        "weighted": weighted,
        "learning_rate": 0.1,
    }


def epoch(number: int, accuracy: float) -> Event:
    """Return an epoch as the trainer records it."""
    figures = {"validation_accuracy": accuracy, "validation_cross_entropy": 0.5, "images_per_second": 100.0}
    return {"kind": "epoch", "epoch": number} | figures


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., RunFolder]:
    """Write a run of two steps an epoch: ``write_run(epochs=3, state="finished", test=0.8, name="a")``."""

    def write(
        *,
        epochs: int = 3,
        state: str | None = "finished",
        test: float | None = None,
        folder: str = "runs",
        **settings: Any,
    ) -> RunFolder:
        run = create_run(make_settings(**ALONE | {"epochs": epochs} | settings), folder=tmp_path / folder)
        run.set_state("queued", reason="asked to start")
        events = [{"kind": "start", "steps_per_epoch": 2, "parameters": 78_042, "compression": None}]
        for number in range(1, 2 * epochs + 1):
            events.append(step(number))
            if number % 2 == 0:
                events.append(epoch(number // 2, 0.5 + 0.01 * number))
        with open(run.journal.path, "a", encoding="utf-8") as file:  # at once: each append waits for the disk
            file.writelines(json.dumps({"time": float(n)} | event) + "\n" for n, event in enumerate(events))
        if test is not None:
            figures = {"test_accuracy": test, "validation_accuracy": test + 0.01, "n_test": 100}
            run.journal.append("final", selection="validation", best_epoch=epochs, **figures)
        if state:
            run.set_state(state, pid=2**22, born=0.0)
        return run

    return write
