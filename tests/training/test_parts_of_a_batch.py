"""A batch worked on in parts, one after the other or in several processes, is the whole batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from pursuhint.errors import InputError
from pursuhint.runs import list_runs
from pursuhint.training.differences import what_differs
from tests.training import together
from tests.tiny import STUDENT

EXACT: dict[str, Any] = {
    "precision": "64-true",
    "epochs": 4,
    "weights": {"mode": "fixed", "cls": 1, "logit": 1.5, "hint": 1000},
}


def assert_near(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], tolerance: float) -> None:
    """Every tensor differs by less than this part of its length."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert (found[name] - value).norm() <= tolerance * value.norm(), name


def assert_same_training(found: dict[str, Any], whole: dict[str, Any]) -> None:
    assert_near(found["gradients"], whole["gradients"], 1e-5)
    assert_near(found["weights"], whole["weights"], 1e-4)
    steps, expected = (
        [e for e in json.loads(r["events"]) if e["kind"] == "step"] for r in (found, whole)
    )
    assert [s["step"] for s in steps] == [s["step"] for s in expected] == list(range(1, together.STEPS + 1))
    for step, other in zip(steps, expected, strict=True):
        assert step["raw"] == pytest.approx(other["raw"], rel=1e-4)


@pytest.fixture
def whole(settings_for, tmp_path: Path) -> dict[str, Any]:
    return together.trained(settings_for(**EXACT), tmp_path / "whole")


def test_accumulated_parts_are_the_whole_batch(settings_for, tmp_path: Path, whole: dict[str, Any]):
    parts = together.trained(settings_for(**EXACT, accumulate=4), tmp_path / "parts")
    assert whole["gradients"]["linear.weight"].dtype == torch.float64
    assert_same_training(parts, whole)


def test_two_processes_are_one(settings_for, tmp_path: Path, whole: dict[str, Any], tiny_plan):
    """One start of two processes does all of it: training, a stop, and a run from the command line."""
    settings, plan_file = tmp_path / "settings.json", tmp_path / "plan.json"
    tiny_plan.save(plan_file)
    settings.write_text(settings_for(**EXACT, accumulate=2).model_dump_json())
    quick = f"--epochs|1|--limit|96|--batch-size|32|--device|cpu|--threads|1|--student|{STUDENT}|--json"
    done = torchrun(together.__file__, settings, tmp_path, f"distill|--plan|{plan_file}|{quick}")
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"process-{rank}.pt") for rank in (0, 1))
    assert_same_training(first, whole)
    assert all(torch.equal(value, second["weights"][name]) for name, value in first["weights"].items())
    stopped = {"kind": "stopped", "text": "stopped in epoch 4 after 1 of 3 steps"}
    assert json.loads(first["events"])[-1] == stopped
    assert json.loads(second["events"]) == [stopped], "the second process records nothing"

    assert [(tmp_path / f"exit-{rank}").read_text() for rank in (0, 1)] == ["0", "0"]
    (run,) = list_runs()
    assert json.loads(done.stdout)["id"] == run.id
    history = run.history()
    assert (run.summary()["state"], history.facts["start"]["processes"]) == ("finished", 2)
    assert [step["step"] for step in history.steps] == [1, 2, 3]
    assert "each batch of 32 is worked on in 2 parts: batch norm takes its" in history.warnings[0]
    assert run.student.is_file()


def torchrun(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": root},
    )
