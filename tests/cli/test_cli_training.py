from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from pursuhint.runs import RunFolder, create_run, find_run, list_runs
from pursuhint.runs.worker import work
from pursuhint.training.loop import Trainer
from tests.tiny import STUDENT

QUICK = ("--epochs", "1", "--limit", "96", "--batch-size", "32", "--device", "cpu", "--threads", "1")
SUMMARY = {"id", "name", "state", "pid", "epoch", "epochs", "metrics", "reason"}


@pytest.fixture
def finished(settings_for) -> RunFolder:
    run = create_run(settings_for(epochs=1))
    work(run)
    return run


def test_train_writes_a_network_with_its_card(pursuhint, tmp_path: Path):
    out = tmp_path / "teachers" / "mine.safetensors"
    found = pursuhint("train", "--model", STUDENT, "--data", "digits", *QUICK, "--out", out, "--json").json
    assert set(found) >= SUMMARY
    assert found["state"] == "finished"
    card = json.loads(out.with_suffix(".json").read_text())
    assert card["model"] == STUDENT
    assert card["command"].startswith(
        f"pursuhint train --model {STUDENT} --data digits --epochs 1 --batch-size 32"
    )
    assert card["test_accuracy"] == found["metrics"]["test_accuracy"]
    assert set(card["versions"]) >= {"torch", "python", "pursuhint"}
    assert card["augmentation"] == "affine"
    scored = pursuhint(
        "evaluate", "--teacher", STUDENT, "--weights", out, "--preprocess", "digits", "--json"
    ).json
    assert scored["accuracy"] == found["metrics"]["test_accuracy"]


def test_distill_json(pursuhint, plan_file: Path):
    found = pursuhint(
        "distill", "--plan", plan_file, "--student", STUDENT, *QUICK, "--seed", "3", "--json"
    ).json
    assert set(found) >= SUMMARY
    assert (found["state"], found["epoch"], found["epochs"]) == ("finished", 1, 1)
    assert {"loss", "loss_cls", "loss_logit", "loss_hint", "test_accuracy"} <= set(found["metrics"])
    assert find_run(found["id"]).run_settings.weights.mode == "balanced"


def test_distill_is_the_same_run_as_in_python(pursuhint, plan_file: Path, finished: RunFolder):
    found = pursuhint(
        "distill", "--plan", plan_file, "--student", STUDENT, *QUICK, "--seed", "3", "--json"
    ).json
    expected = finished.summary()["metrics"]
    changing = {"images_per_second"}
    assert {k: v for k, v in found["metrics"].items() if k not in changing} == {
        k: v for k, v in expected.items() if k not in changing
    }


def test_distill_in_words(pursuhint, plan_file: Path):
    answer = pursuhint("distill", "--plan", plan_file, "--student", STUDENT, *QUICK, "--name", "mine")
    assert answer.code == 0
    words = " ".join(answer.out.split())
    assert "of 500 test images (best epoch 1), 5,006 parameters, 8.72 times smaller than its teacher" in words


def test_kept_targets_are_said_and_listed(pursuhint, plan_file: Path):
    given = ("--plan", plan_file, "--student", STUDENT, *QUICK, "--keep-targets", "1")
    for share in ("0.00 %", "100.00 %"):
        words = " ".join(pursuhint("distill", *given).err.split())
        assert "targets of the teacher: 18.0 kB kept, views of an image: 1" in words
        assert f"found from earlier runs: {share} (see `pursuhint cache list`)" in words
    assert [one["kind"] for one in pursuhint("cache", "list", "--json").json["kept"]] == ["targets"]


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ((), {"mode": "balanced", "cls": 1.0, "logit": 1.0, "hint": 0.5}),
        (("--balance", "--weight-hint", "2"), {"mode": "balanced", "cls": 1.0, "logit": 1.0, "hint": 2.0}),
        (
            ("--weight-cls", "1", "--weight-logit", "1.5", "--weight-hint", "1000"),
            {"mode": "fixed", "cls": 1.0, "logit": 1.5, "hint": 1000.0},
        ),
    ],
)
def test_weights_on_the_command_line(pursuhint, plan_file: Path, monkeypatch, options, weights):
    monkeypatch.setattr(RunFolder, "launch", lambda self: 1)
    found = pursuhint(
        "distill", "--plan", plan_file, "--student", STUDENT, *options, "--detach", "--json"
    ).json
    assert find_run(found["id"]).run_settings.weights.model_dump() == weights


def test_options_reach_the_settings(pursuhint, plan_file: Path, tiny_weights: Path, monkeypatch):
    monkeypatch.setattr(RunFolder, "launch", lambda self: 7)
    found = pursuhint(
        *(
            "distill",
            "--plan",
            plan_file,
            "--student",
            STUDENT,
            "--hint-loss",
            "fitnet",
            "--temperature",
            "2",
        ),
        *("--pair", "layer1.0=layer2.0", "--weights", tiny_weights, "--init", tiny_weights, "--epochs", "9"),
        *(
            "--lr",
            "0.1",
            "--weight-decay",
            "0",
            "--schedule",
            "step",
            "--augmentation",
            "none",
            "--seed",
            "4",
        ),
        *("--precision", "bf16-mixed", "--mirror", "tensorboard", "--name", "mine", "--detach", "--json"),
    ).json
    assert found["pid"] == 7
    settings = find_run(found["id"]).run_settings
    assert [(pair.hint, pair.guided) for pair in settings.pairs] == [("layer1.0", "layer2.0")]
    assert settings.teacher_weights == settings.init == str(tiny_weights)
    dumped = settings.model_dump()
    expected = {
        "hint_loss": "fitnet",
        "temperature": 2,
        "epochs": 9,
        "learning_rate": 0.1,
        "weight_decay": 0,
        "schedule": "step",
        "augmentation": "none",
        "seed": 4,
        "precision": "bf16-mixed",
        "mirrors": ("tensorboard",),
        "name": "mine",
    }
    assert {key: dumped[key] for key in expected} == expected


def test_export_copies_the_student(pursuhint, finished: RunFolder, tmp_path: Path, monkeypatch):
    target = tmp_path / "new" / "student.safetensors"
    found = pursuhint("export", finished.id, "--out", target, "--json").json
    assert found["path"] == str(target)
    assert found["card"]["model"] == STUDENT
    assert target.read_bytes() == finished.student.read_bytes()
    monkeypatch.chdir(tmp_path)
    assert pursuhint("export", finished.id[-4:]).code == 0
    assert (tmp_path / f"{finished.id}.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--plan {tmp}/none.json --student zoo:resnet8", "no such file: `{tmp}/none.json`; check the path"),
        ("--plan {plan} --student zoo:resnet9", "unknown zoo model `resnet9`: did you mean `resnet8`?"),
        ("--plan {plan} --student builtin:digits-resnet56", "is a trained teacher; choose a student"),
        (
            "--plan {plan} --student zoo:resnet8 --hint-loss att",
            "`hint_loss`: Input should be 'none', 'at' or",
        ),
        (
            "--plan {plan} --student zoo:resnet8 --logit-loss kl",
            "`logit_loss`: Input should be 'none' or 'kd'",
        ),
        ("--plan {plan} --student zoo:resnet8 --pair layer1.0", "a pair is written HINT=GUIDED"),
        ("--plan {plan} --student zoo:resnet8 --pair a=b", "unknown hint point in a pair `a`"),
        ("--plan {plan} --student zoo:resnet8 --pair layer1.0=b", "unknown guided layer in a pair `b`"),
        ("--plan {plan} --student zoo:resnet8 --weight-cls 1", "the logit loss `kd` has weight 0; give"),
        (
            "--plan {plan} --student zoo:resnet8 --weights {tmp}/no.pt",
            "no.pt` does not exist; check the path",
        ),
        (
            "--plan {plan} --student zoo:resnet8 --init {tmp}/no.pt",
            "the start checkpoint `{tmp}/no.pt` does not",
        ),
        ("--plan {plan} --student zoo:resnet8 --data fak", "unknown data set `fak`: did you mean `fake`?"),
        (
            "--plan {plan} --student zoo:resnet8 --epochs 0",
            "`epochs`: Input should be greater than or equal to 1",
        ),
        ("--plan {plan} --student zoo:resnet8 --limit 9999", "`limit` must be at most 1000"),
        ("--plan {plan} --student zoo:resnet8 --batch-size 2000", "`batch_size` must be at most 1000"),
        ("--plan {plan} --student zoo:resnet8 --augmentation mixup", "unknown augmentation `mixup`"),
        (
            "--plan {plan} --student zoo:resnet8 --threads 0",
            "`threads`: Input should be greater than or equal to 1",
        ),
        (
            "--plan {plan} --student zoo:resnet8 --precision 16-mixed --device cpu",
            "`precision` 16-mixed needs a GPU; use bf16-mixed or 32-true on a CPU",
        ),
        ("--plan {plan} --studnet zoo:resnet8", "No such option: --studnet"),
        ("--plan {other} --student zoo:resnet8", "this plan was made for another teacher: expected weights"),
        ("--plan {plan} --student zoo:resnet8 --init {weights}", "zoo:resnet8"),
    ],
)
def test_what_cannot_be_distilled_is_refused(
    pursuhint, plan_file, tiny_plan, tiny_weights, tmp_path: Path, arguments: str, message: str
):
    other = tmp_path / "other.json"
    teacher = tiny_plan.teacher.model_copy(update={"hash": "0123456789abcdef"})
    tiny_plan.model_copy(update={"teacher": teacher}).save(other)
    places = {"tmp": tmp_path, "plan": plan_file, "other": other, "weights": tiny_weights}
    line = pursuhint("distill", *arguments.format(**places).split(), "--json").refused()
    assert message.format(**places) in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train --model zoo:resnet9", "unknown zoo model `resnet9`: did you mean `resnet8`?"),
        ("train --model zoo:resnet8 --data folder:/none", "no such folder: `/none`"),
        (
            "train --model zoo:resnet8 --schedule cosin",
            "`schedule`: Input should be 'cosine', 'step' or 'constant'",
        ),
        ("train", "Missing option '--model'"),
        ("export nope", "unknown run `nope`. Known: none"),
        ("export nope --format onx", "unknown format `onx`. Known: safetensors"),
    ],
)
def test_other_bad_input(pursuhint, arguments: str, message: str):
    assert message in pursuhint(*arguments.split()).refused()


def test_a_run_that_was_refused_at_once_leaves_no_folder(pursuhint, plan_file: Path):
    pursuhint("distill", "--plan", plan_file, "--student", "zoo:resnet9").refused()
    assert list_runs() == []


def test_an_unfinished_run_has_nothing_to_export(pursuhint, settings_for):
    run = create_run(settings_for())
    line = pursuhint("export", run.id).refused()
    assert line == f"run `{run.id}` is lost and has no student yet; wait until it has finished"


def test_a_job_that_fails_is_one_line_and_exit_code_1(pursuhint, plan_file: Path, monkeypatch):
    def fail(self) -> None:
        raise RuntimeError("out of memory\nsecond line")

    monkeypatch.setattr(Trainer, "run", fail)
    answer = pursuhint("distill", "--plan", plan_file, "--student", STUDENT, *QUICK, "--json")
    assert (answer.code, answer.out) == (1, "")
    (line,) = answer.err.splitlines()
    assert line.startswith("error: `")
    assert "failed: out of memory; see `" in line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (KeyboardInterrupt(), "error: interrupted"),
        (MemoryError(), "error: out of memory; use fewer probe images or a smaller batch"),
        (
            PermissionError(13, "Permission denied", "/x"),
            "error: /x: Permission denied; check the path and its rights",
        ),
    ],
)
def test_what_happens_to_the_process_is_one_line(pursuhint, monkeypatch, error: BaseException, line: str):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("pursuhint.cli.runs.list_runs", fail)
    answer = pursuhint("runs", "list")
    assert (answer.code, answer.err) == (1, f"{line}\n")


def test_a_full_disk_at_export_leaves_nothing(pursuhint, finished: RunFolder, tmp_path: Path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        answer = pursuhint("export", finished.id, "--out", tmp_path / "s.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert "File too large; free some space" in answer.refused()
    assert list(tmp_path.iterdir()) == []
