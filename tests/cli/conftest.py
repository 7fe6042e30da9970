"""The command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Answer:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON that it printed, which must be all it printed."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    def refused(self) -> str:
        """The one line in which it said what was wrong."""
        assert self.code == 2, (self.code, self.out, self.err)
        assert self.out == ""
        (line,) = self.err.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")


@pytest.fixture
def pursuhint(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run a command: ``pursuhint("layers", "--teacher", "zoo:resnet8")``."""
    from pursuhint.cli import run

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def teacher(tiny_weights: Path) -> tuple[str, ...]:
    """The options that name the tiny teacher and its data."""
    from tests.tiny import TEACHER

    return ("--teacher", TEACHER, "--weights", str(tiny_weights), "--preprocess", "digits")


@pytest.fixture
def plan_file(tiny_plan, tmp_path: Path) -> Path:
    """The tiny plan's file."""
    path = tmp_path / "plan.json"
    tiny_plan.save(path)
    return path
