"""Runs written by hand, as the worker leaves them, without training anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pursuhint.runs import RunFolder, create_run
from pursuhint.training.settings import make_settings

ALONE = {"kind": "train", "student": "zoo:resnet8", "data": "digits", "preprocess": "digits"}


def log_step(run: RunFolder, number: int, per_epoch: int = 2, **more: Any) -> None:
    """Append a step as the trainer does."""
    weighted = {"cls": 2.0 / number, "hint": 0.5 / number}
    run.journal.append(
        "step",
        epoch=number / per_epoch,
        step=number,
        total=sum(weighted.values()),
        raw={"cls": 2.0 / number, "hint/a->b": 1.0 / number, "hint/c->d": 3.0},
        weighted=weighted,
        learning_rate=0.1,
        **more,
    )


def log_epoch(run: RunFolder, number: int, accuracy: float) -> None:
    """Append an epoch as the trainer does."""
    figures = {"validation_accuracy": accuracy, "validation_cross_entropy": 0.5, "images_per_second": 100.0}
    run.journal.append("epoch", epoch=number, **figures)


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
        run.journal.append("start", steps_per_epoch=2, parameters=78_042, compression=None)
        for number in range(1, 2 * epochs + 1):
            log_step(run, number)
            if number % 2 == 0:
                log_epoch(run, number // 2, 0.5 + 0.01 * number)
        if test is not None:
            figures = {"test_accuracy": test, "validation_accuracy": test + 0.01, "n_test": 100}
            run.journal.append("final", selection="validation", best_epoch=epochs, **figures)
        if state:
            run.set_state(state, pid=2**22, born=0.0)
        return run

    return write
