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
from torch import nn

from pursuhint.errors import InputError
from pursuhint.losses import Batch, Loss
from pursuhint.losses.crd import Contrast
from pursuhint.losses.cross_entropy import CrossEntropy
from pursuhint.runs import create_run, list_runs
from pursuhint.training import precision
from pursuhint.training.differences import what_differs
from pursuhint.training.distiller import Distiller, freeze_unreached
from pursuhint.training.lone_values import explain_lone_values
from pursuhint.training.loop import Trainer
from pursuhint.training.prepare import load_parts
from tests.tiny import STUDENT
from tests.training import together

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
    steps, expected = ([e for e in json.loads(r["events"]) if e["kind"] == "step"] for r in (found, whole))
    assert [s["step"] for s in steps] == [s["step"] for s in expected] == list(range(1, together.STEPS + 1))
    for step, other in zip(steps, expected, strict=True):
        assert step["raw"] == pytest.approx(other["raw"], rel=1e-4)


def assert_same_memory(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    """Constants and banks are those of all images, in both processes, by the formulas written out."""
    contrast = together.new_contrast(Contrast)
    banks = {"student": contrast.bank_student, "teacher": contrast.bank_teacher}
    means, moved = torch.zeros(2), {side: bank.clone() for side, bank in banks.items()}
    for rank in (0, 1):
        guided, hint, compared = together.own_images(rank)
        sides = {"student": contrast.embed_student(guided), "teacher": contrast.embed_teacher(hint)}
        for which, (side, other) in enumerate((("student", "teacher"), ("teacher", "student"))):
            anchors = (sides[side] / sides[side].norm(dim=1, keepdim=True)).detach()
            scores = torch.stack([banks[other][row] @ a for row, a in zip(compared, anchors, strict=True)])
            means[which] += (scores / 0.07).exp().mean() / 2
            halfway = moved[side][compared[:, 0]] / 2 + anchors / 2
            moved[side][compared[:, 0]] = halfway / halfway.norm(dim=1, keepdim=True)
    for found in (first, second):
        torch.testing.assert_close(found["constants"], means)
        torch.testing.assert_close(found["bank_student"], moved["student"])
        torch.testing.assert_close(found["bank_teacher"], moved["teacher"])
    assert all(torch.equal(value, second[name]) for name, value in first.items()), "to the last digit"


def assert_own_statistics(*processes: dict[str, torch.Tensor]) -> None:
    """Batch norm begins as in the first process; then nobody tells its statistics to the others."""
    for rank, found in enumerate(processes):
        mean = found["before"]
        assert torch.equal(mean, torch.zeros_like(mean))
        for batch in together.own_batches(rank):
            mean = 0.9 * mean + 0.1 * batch.double().mean(dim=0)
        torch.testing.assert_close(found["after"], mean)


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
    # Its memory is exchanged wherever the loss is computed, also where the weights are balanced.
    quick += "|--hint-loss|at+crd"
    done = torchrun(together.__file__, settings, tmp_path, f"distill|--plan|{plan_file}|{quick}")
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"process-{rank}.pt", weights_only=True) for rank in (0, 1))
    assert_same_training(first, whole)
    assert all(torch.equal(value, second["weights"][name]) for name, value in first["weights"].items())
    stopped = {"kind": "stopped", "text": "stopped in epoch 4 after 1 of 3 steps"}
    assert json.loads(first["events"])[-1] == stopped
    assert json.loads(second["events"]) == [stopped], "the second process records nothing"

    assert_same_memory(first["contrast"], second["contrast"])
    assert_own_statistics(first["statistics"], second["statistics"])

    assert [(tmp_path / f"exit-{rank}").read_text() for rank in (0, 1)] == ["0", "0"]
    (run,) = list_runs()
    assert json.loads(done.stdout)["id"] == run.id
    history = run.history()
    assert (run.summary()["state"], history.facts["start"]["processes"]) == ("finished", 2)
    assert [step["step"] for step in history.steps] == [1, 2, 3]
    assert "each batch of 32 is worked on in 2 parts: batch norm takes its" in history.warnings[0]
    assert "in 2 parts: `at+crd` moves what it remembers after each part" in history.warnings[1]
    assert run.student.is_file()


@pytest.mark.slow
def test_two_processes_that_stop_and_resume_are_two_that_do_not(settings_for, tmp_path: Path):
    """Though each keeps statistics of its own and only those of the first are saved."""
    settings = tmp_path / "settings.json"
    settings.write_text(settings_for(hint_loss="at+crd", ema=0.8, accumulate=2).model_dump_json())
    done = torchrun(together.__file__, "--resume", settings, tmp_path)
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"process-{rank}.pt", weights_only=True) for rank in (0, 1))
    whole, resumed = first["whole"], first["resumed"]
    assert resumed["events"] == whole["events"]
    kinds = [event["kind"] for event in json.loads(whole["events"])]
    assert kinds == ["step"] * 3 + ["epoch"] + ["step"] * 3 + ["epoch", "final"]
    assert all(torch.equal(value, resumed["weights"][name]) for name, value in whole["weights"].items())
    banks = [name for name in whole["weights"] if "bank" in name or "constants" in name]
    assert len(banks) == 3
    for process in (first, second):
        assert all(torch.equal(process["resumed"]["weights"][b], whole["weights"][b]) for b in banks)


def test_balanced_weights_are_those_of_the_whole_batch(settings_for, tmp_path: Path):
    settled = {}
    for count in (1, 4):
        settings = settings_for(accumulate=count)
        parts = load_parts(settings)
        together.forget_the_batch(parts.student.model)
        trainer = Trainer(settings, parts, folder=tmp_path, record=lambda *_, **__: None)
        trainer.start()
        settled[count] = trainer.weights
    assert settled[4] == pytest.approx(settled[1], rel=1e-4)


def test_a_lone_image_that_batch_norm_cannot_take_is_refused_before_the_first_step(
    train, settings_for, tmp_path: Path
):
    """Of 8 by 8 pixels resnet18 leaves one position; the small student leaves four, and trains."""
    alone = {"kind": "train", "plan": None, "hint_loss": "none", "logit_loss": "none", "limit": 4}
    alone |= {"epochs": 1, "batch_size": 2, "accumulate": 2}
    settings = settings_for(student="torchvision:resnet18", **alone)
    trainer = Trainer(settings, load_parts(settings), folder=tmp_path, record=lambda *_, **__: None)
    message = (
        r"each part of a batch has 1 image \(batch size / accumulated parts / processes\), in which a layer "
        "has 1 position; give a larger `--batch-size`, a smaller `--accumulate`, or fewer processes$"
    )
    with pytest.raises(InputError, match=message):
        trainer.start()
    assert train(settings_for(**alone)).final
    with pytest.raises(ValueError, match="another reason"), explain_lone_values(1):
        raise ValueError("another reason")


class _Across(Loss):
    """Compares images of a batch."""

    name = "across"
    across_images = True


class _Remembering(Loss):
    """Keeps something of every image, and has a batch norm, of which is spoken apart."""

    name = "remembering"
    needs_ids = across_images = True

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(2)


@pytest.mark.parametrize(
    ("losses", "accumulate", "processes", "said"),
    [
        ([CrossEntropy(), _Across(), _Remembering()], 1, 1, []),
        ([CrossEntropy()], 4, 2, []),
        ([CrossEntropy(), _Across()], 4, 1, ["`across` compares images within a part only"]),
        (
            [_Remembering()],
            1,
            4,
            [
                "batch norm takes its statistics from each part alone",
                "`remembering` moves what it remembers after each part",
            ],
        ),
    ],
)
def test_what_parts_change_is_said(settings_for, losses, accumulate: int, processes: int, said: list[str]):
    settings = settings_for(accumulate=accumulate)
    found = what_differs(Distiller(nn.Linear(2, 2), losses), settings, processes)
    opening = f"each batch of 32 is worked on in {accumulate * processes} parts: "
    assert found == [opening + text for text in said]


def test_parameters_that_no_loss_reaches_ask_for_no_gradient():
    class Student(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.idle, self.norm = nn.Linear(4, 3), nn.Linear(4, 3), nn.BatchNorm1d(3)

        def forward(self, images):
            return self.norm(self.used(images))

    distiller = Distiller(Student(), [CrossEntropy()])
    before = {name: value.clone() for name, value in distiller.state_dict().items()}
    batch = Batch(torch.randn(6, 4), torch.arange(6) % 3, torch.arange(6))
    assert freeze_unreached(distiller, batch, None) == ["student.idle.weight", "student.idle.bias"]
    asking = {name for name, value in distiller.named_parameters() if value.requires_grad}
    assert asking == {f"student.{name}.{kind}" for name in ("used", "norm") for kind in ("weight", "bias")}
    assert all(torch.equal(value, before[name]) for name, value in distiller.state_dict().items())


def test_more_processes_than_gpus_are_refused(settings_for, monkeypatch):
    launched = {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "4"}
    for name, value in (launched | {"LOCAL_WORLD_SIZE": "4", "GROUP_WORLD_SIZE": "1"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(precision, "choose_device", lambda _: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    with pytest.raises(InputError, match="4 processes need 4 GPUs, found 2; start fewer with `--nproc_per_"):
        precision.build_fabric(settings_for())


def test_several_processes_and_one_named_gpu_are_refused(settings_for, monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(precision, "choose_device", torch.device)
    with pytest.raises(InputError, match="`device` cuda:0 is one GPU, and each of 2 processes takes its own"):
        precision.build_fabric(settings_for(device="cuda:0"))


@pytest.mark.slow
def test_an_error_in_one_process_ends_all(settings_for, tmp_path: Path):
    """The first process, which waits for the gradients of the second, says what happened there."""
    run = create_run(settings_for(), folder=tmp_path)
    done = torchrun(together.__file__, "--break-the-last", run.path)
    assert done.returncode == 1
    assert run.summary()["state"] == "failed"
    assert run.summary()["reason"] == "process 1: the loss `cls` became nan in epoch 1 at step 2; the " + (
        "last good checkpoint, if there is one, is kept: lower the learning rate or this term's weight"
    )
    assert len(run.history().states) == 2, "running, failed"
    assert (run.path / "said-0").read_text() == run.summary()["reason"]


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
