"""What `distill` refuses or remarks on before anything is trained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pursuhint.errors import PursuhintError
from pursuhint.runs import create_run, find_run, list_runs
from pursuhint.runs.worker import work
from pursuhint.training.loop import Trainer
from tests.tiny import STUDENT

QUICK = ("--epochs", "1", "--limit", "96", "--batch-size", "32", "--device", "cpu", "--threads", "1")


@pytest.fixture
def untrained(tiny_plan, tmp_path: Path) -> Path:
    """The plan of a teacher that never learned anything."""
    from safetensors.torch import save_file

    from pursuhint.checkpoints import hash_weights
    from pursuhint.zoo import build_zoo

    tensors = build_zoo("resnet14?width=0.5", classes=10).state_dict()
    save_file(tensors, tmp_path / "untrained.safetensors")
    found = {"weights": str(tmp_path / "untrained.safetensors"), "hash": hash_weights(tensors)}
    plan = tiny_plan.model_copy(update={"teacher": tiny_plan.teacher.model_copy(update=found)})
    plan.save(tmp_path / "untrained.json")
    return tmp_path / "untrained.json"


@pytest.fixture
def other_init(tmp_path: Path) -> Path:
    """A checkpoint of the student for 7 classes."""
    from safetensors.torch import save_file

    from pursuhint.zoo import build_zoo

    save_file(build_zoo(STUDENT.removeprefix("zoo:"), classes=7).state_dict(), tmp_path / "seven.safetensors")
    return tmp_path / "seven.safetensors"


def test_a_teacher_at_chance_level_is_refused(pursuhint, untrained: Path):
    line = pursuhint("distill", "--plan", untrained, "--student", STUDENT, *QUICK).refused()
    assert re.search(r"images, near chance \(1\d\.\d%; expected at least 2\d\.\d%\)", line)
    assert line.endswith("allow it with `--allow-weak-teacher`")
    assert list_runs() == []


def test_several_processes_that_would_keep_targets_are_refused_before_a_run_exists(
    pursuhint, tiny_plan, tmp_path: Path, monkeypatch
):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    tiny_plan.save(tmp_path / "plan.json")
    command = ("distill", "--plan", tmp_path / "plan.json", "--student", STUDENT, "--keep-targets", "1")
    line = pursuhint(*command).refused()
    assert line.endswith("one process can keep targets; found 2; leave `--keep-targets` out")
    assert list_runs() == []


def test_a_weak_teacher_may_be_allowed_and_its_score_is_recorded(pursuhint, untrained: Path):
    found = pursuhint(
        "distill", "--plan", untrained, "--student", STUDENT, *QUICK, "--allow-weak-teacher", "--json"
    ).json
    assert 0 <= find_run(found["id"]).history().facts["start"]["teacher_accuracy_check"] < 0.2


def test_the_score_of_a_good_teacher_is_recorded(settings_for, tiny_teacher):
    from pursuhint.data import load_data
    from pursuhint.teacher import score

    run = create_run(settings_for(epochs=1))
    work(run)
    expected = score(tiny_teacher.model, load_data("digits").validation, tiny_teacher.preprocess).accuracy
    assert run.history().facts["start"]["teacher_accuracy_check"] == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--weight-cls -1", "greater than or equal to 0; found `-1.0`"),
        ("--weight-hint -0.5", "greater than or equal to 0; found `-0.5`"),
        ("--weight-cls 0 --weight-logit 0 --weight-hint 0", "at least one weight must be above 0"),
        ("--plan {seven_plan}", "the plan's teacher tells 7 classes apart, `digits` has 10; use the data"),
        ("--init {seven}", "the checkpoint tells 7 classes apart, the model 10"),
        ("--pair layer1.0=layer3.0", "the pairs `layer1.0->layer3.0` and `layer2.0->layer2.0` cross"),
        ("--pair layer1.0=layer1.9", "unknown guided layer in a pair `layer1.9`"),
        ("--pair layer1.0", "a pair is written HINT=GUIDED"),
    ],
)
def test_what_does_not_fit_is_refused(
    pursuhint, plan_file: Path, other_init: Path, tiny_plan, tmp_path: Path, arguments: str, message: str
):
    teacher = tiny_plan.teacher.model_copy(update={"classes": 7})
    tiny_plan.model_copy(update={"teacher": teacher}).save(tmp_path / "seven.json")
    given = arguments.format(seven=other_init, seven_plan=tmp_path / "seven.json").split()
    assert message in pursuhint("distill", "--plan", plan_file, "--student", STUDENT, *given).refused()
    assert list_runs() == []


def test_crossing_pairs_may_be_allowed(pursuhint, plan_file: Path):
    found = pursuhint(
        *("distill", "--plan", plan_file, "--student", STUDENT, *QUICK, "--json"),
        *("--pair", "layer1.0=layer3.0", "--allow-crossing"),
    ).json
    pairs = find_run(found["id"]).history().facts["start"]["pairs"]
    assert [(pair["hint"], pair["guided"]) for pair in pairs] == [
        ("layer1.0", "layer3.0"),
        ("layer2.0", "layer2.0"),
        ("layer3.0", "layer3.0"),
    ]


def test_a_student_larger_than_its_teacher_is_remarked_on_once(pursuhint, settings_for, tmp_path: Path):
    run = create_run(settings_for(student="zoo:resnet14?width=0.6", epochs=2, hint_loss="none"))
    with pytest.raises(Exception, match="stopped in epoch 2"):
        work(run, progress=lambda *_: run.ask_to_stop())
    answer = pursuhint("runs", "resume", run.id, "--json")
    assert answer.json["state"] == "finished"
    (text,) = (one for one in run.history().warnings if "larger" in one)
    assert text.startswith("the student is larger than its teacher: `zoo:resnet14?width=0.6` has 61,759")


def test_the_remark_is_printed_before_the_training(pursuhint, plan_file: Path, monkeypatch):
    def run(self: Trainer, **_) -> None:
        raise PursuhintError("nothing is trained here")

    monkeypatch.setattr(Trainer, "run", run)
    answer = pursuhint("distill", "--plan", plan_file, "--student", "zoo:resnet14?width=0.6", *QUICK)
    said = " ".join(answer.err.split())
    assert said.startswith("the student is larger than its teacher")
    assert said.endswith("error: nothing is trained here")
