from __future__ import annotations

import json
import resource
import shlex
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pursuhint.catalogue import HINT_FACTS
from pursuhint.runs import RunFolder, create_run, find_run, list_runs
from pursuhint.runs.worker import work
from pursuhint.training.command import train_options
from pursuhint.training.loop import Trainer
from pursuhint.training.settings import RunSettings, make_settings
from pursuhint.zoo import build_zoo
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
    options = (*QUICK, "--ema", "0.5", "--mix", "mixup")
    found = pursuhint("train", "--model", STUDENT, "--data", "digits", *options, "--out", out, "--json").json
    assert set(found) >= SUMMARY
    assert found["state"] == "finished"
    card = json.loads(out.with_suffix(".json").read_text())
    assert card["model"] == STUDENT
    assert card["command"].startswith(
        f"pursuhint train --model '{STUDENT}' --data digits --epochs 1 --batch-size 32"
    )
    assert card["command"].endswith(f"--threads 1 --mix mixup --ema 0.5 --out {out}")
    assert card["test_accuracy"] == found["metrics"]["test_accuracy"]
    assert set(card["versions"]) >= {"torch", "python", "pursuhint"}
    assert card["augmentation"] == "affine"
    scored = pursuhint(
        "evaluate", "--teacher", STUDENT, "--weights", out, "--preprocess", "digits", "--json"
    ).json
    assert scored["accuracy"] == found["metrics"]["test_accuracy"]


def test_train_begins_with_weights_and_says_so(pursuhint, tmp_path: Path):
    """The command that the card names gives the same network once more."""
    weights, out = tmp_path / "seven classes.pt", tmp_path / "mine.safetensors"
    torch.save(build_zoo("resnet8?width=0.25", classes=7).state_dict(), weights)
    options = ("--data", "digits", "--weights", weights, "--freeze", *QUICK)
    answer = pursuhint("train", "--model", STUDENT, *options, "--out", out)
    said = "a new head (linear.weight, linear.bias) with 10 outputs in place of 7; only the head is trained"
    assert said in " ".join(answer.err.split())
    card = json.loads(out.with_suffix(".json").read_text())
    assert card["beginning"]["classes_before"] == 7
    assert card["beginning"]["replaced"] == ["linear.weight", "linear.bias"]
    first = load_file(out)
    program, *words = shlex.split(card["command"])
    assert program == "pursuhint" and pursuhint(*words, "--device", "cpu").code == 0
    again = load_file(out)
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    before = torch.load(weights, weights_only=True)
    trunk = {name: value for name, value in before.items() if not name.startswith("linear")}
    assert all(torch.equal(value, first[name]) for name, value in trunk.items())


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
    (run,) = list_runs()
    last = f"{100 * run.summary()['metrics']['test_accuracy_last']:.2f} % after the last"
    assert f"of 500 test images (best epoch 1; {last}), 5,006 parameters, 8.72 times smaller than" in words


def test_kept_targets_are_said_and_listed(pursuhint, plan_file: Path):
    given = ("--plan", plan_file, "--student", STUDENT, *QUICK, "--keep-targets", "1")
    for share in ("0.00 %", "100.00 %"):
        words = " ".join(pursuhint("distill", *given).err.split())
        assert "targets of the teacher: 18.0 kB kept, views of an image: 1" in words
        assert f"found from earlier runs: {share} (see `pursuhint cache list`)" in words
    assert [one["kind"] for one in pursuhint("cache", "list", "--json").json["kept"]] == ["targets"]


def test_distill_shows_first_how_the_pairs_meet(pursuhint, plan_file: Path):
    command = ("distill", "--plan", plan_file, "--student", STUDENT, *QUICK, "--hint-loss", "fitnet")
    lines = [" ".join(line.split()) for line in pursuhint(*command).out.splitlines()]
    assert lines[:3] == [
        "Pairs",
        "hint point shape guided layer shape adapter parameters",
        "layer1.0 8 x 8 x 8 layer1.0 4 x 8 x 8 1x1 convolution 4 -> 8 + batch norm 48",
    ]


def test_the_help_names_every_hint_loss(pursuhint):
    words = "".join(pursuhint("distill", "--help").out.replace("│", " ").split())
    assert f"{','.join(HINT_FACTS)}ornone(KDonly)" in words


@pytest.fixture
def asked(pursuhint, plan_file: Path, monkeypatch):
    """A function that returns the settings of the run that a `distill` command would start."""
    monkeypatch.setattr(RunFolder, "launch", lambda self, **_: 1)

    def ask(*options: object) -> RunSettings:
        command = ("distill", "--plan", plan_file, "--student", STUDENT, *options, "--detach", "--json")
        return find_run(pursuhint(*command).json["id"]).run_settings

    return ask


BALANCED = {"mode": "balanced", "cls": 1.0, "logit": 1.0, "hint": 0.5, "hint_last": None, "preset": None}


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ((), {}),
        (("--balance", "--weight-hint", "2"), {"hint": 2.0}),
        (
            ("--weight-cls", "1", "--weight-logit", "1.5", "--weight-hint", "1000"),
            {"mode": "fixed", "logit": 1.5, "hint": 1000.0},
        ),
        (
            ("--weights-preset", "pursuhint-cifar100"),
            {"mode": "fixed", "logit": 1.5, "hint": 1.0, "preset": "pursuhint-cifar100"},
        ),
        (
            ("--weights-preset", "repdistiller-at", "--weight-hint", "500"),
            {"mode": "fixed", "logit": 0.0, "hint": 500.0, "preset": "repdistiller-at"},
        ),
    ],
)
def test_weights_on_the_command_line(asked, options, weights):
    assert asked(*options).weights.model_dump() == BALANCED | weights


@pytest.mark.parametrize(
    ("options", "losses"),
    [
        ((), ("at", "kd", 4.0)),
        (("--logit-loss", "kd-std"), ("at", "kd-std", 2.0)),
        (("--logit-loss", "kd-std", "--temperature", "3"), ("at", "kd-std", 3.0)),
        (("--weights-preset", "pursuhint-imagenet"), ("at", "kd", 4.0)),
        (("--weights-preset", "repdistiller-fitnet"), ("fitnet", "none", 4.0)),
        (("--weights-preset", "repdistiller-kd"), ("none", "kd", 4.0)),
        (
            ("--weights-preset", "repdistiller-at", "--logit-loss", "kd", "--weight-logit", "1"),
            ("at", "kd", 4.0),
        ),
    ],
)
def test_a_preset_brings_the_losses_that_it_is_for(asked, options, losses):
    found = asked(*options)
    assert (found.hint_loss, found.logit_loss, found.temperature) == losses


def test_schedules_and_smoothing_on_the_command_line(asked):
    found = asked("--schedule-hint", "decay", "--schedule-logit", "warmup:20", "--label-smoothing", "0.1")
    assert found.weight_schedule.model_dump() == {"cls": "constant", "logit": "warmup:20", "hint": "decay"}
    assert found.label_smoothing == 0.1


def test_a_recipe_fills_what_is_not_given(asked):
    assert asked() == asked("--recipe", "quick").model_copy(update={"recipe": None})
    found = asked("--recipe", "cifar", "--epochs", "24", "--lr", "0.01")
    assert found.recipe == "cifar"
    assert (found.epochs, found.learning_rate) == (24, 0.01)
    assert (found.batch_size, found.weight_decay, found.schedule, found.warmup) == (64, 5e-4, "step", 0)
    assert (found.steps_at, found.augmentation) == ((0.625, 0.75, 0.875), None)


def test_a_shortened_recipe_is_said(pursuhint, plan_file: Path):
    answer = pursuhint("distill", "--plan", plan_file, "--student", STUDENT, "--recipe", "cifar", *QUICK)
    assert answer.code == 0
    assert "the recipe `cifar` is shortened from 240 epochs to 1: its" in " ".join(answer.err.split())


def test_options_reach_the_settings(pursuhint, plan_file: Path, tiny_weights: Path, monkeypatch):
    monkeypatch.setattr(RunFolder, "launch", lambda self, **_: 7)
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
        *("--accumulate", "8", "--mix", "cutmix", "--mix-alpha", "0.2", "--ema", "0.99", "--select", "test"),
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
        "accumulate": 8,
        "mix": "cutmix",
        "mix_alpha": 0.2,
        "ema": 0.99,
        "select": "test",
        "precision": "bf16-mixed",
        "mirrors": ("tensorboard",),
        "name": "mine",
    }
    assert {key: dumped[key] for key in expected} == expected


def test_a_student_that_the_test_images_chose_is_called_so(pursuhint, plan_file: Path):
    answer = pursuhint("distill", "--plan", plan_file, "--student", STUDENT, *QUICK, "--select", "test")
    assert "of 500 test images (best TEST epoch 1; " in " ".join(answer.out.split())
    run_id = answer.out.split()[-1]
    assert "of the best TEST epoch: the test images chose it" in pursuhint("runs", "show", run_id).out


def test_processes_that_train_together_stay_attached(pursuhint, plan_file: Path, monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    line = pursuhint("distill", "--plan", plan_file, "--student", "zoo:resnet8", "--detach").refused()
    assert line.startswith("a run that torchrun starts cannot be detached; leave out `--detach`")
    assert list_runs() == []


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
            "unknown hint loss `att`: did you mean `at`?",
        ),
        (
            "--plan {plan} --student zoo:resnet8 --logit-loss kl",
            "unknown logit loss `kl`: did you mean `kd`? Known: none, kd, wsl, dkd, dist, kd-std",
        ),
        ("--plan {plan} --student zoo:resnet8 --pair layer1.0", "a pair is written HINT=GUIDED"),
        ("--plan {plan} --student zoo:resnet8 --pair a=b", "unknown hint point in a pair `a`"),
        ("--plan {plan} --student zoo:resnet8 --pair layer1.0=b", "unknown guided layer in a pair `b`"),
        ("--plan {plan} --student zoo:resnet8 --weight-cls 1", "the logit loss `kd` has weight 0; give"),
        (
            "--plan {plan} --student zoo:resnet8 --weights-preset repdistiler-at",
            "unknown weights preset `repdistiler-at`: did you mean `repdistiller-at`?",
        ),
        (
            "--plan {plan} --student zoo:resnet8 --weights-preset repdistiller-at --hint-loss fitnet",
            "the weights preset `repdistiller-at` is for the hint loss `at`; found `fitnet`, whose reduction "
            "differs; use balanced weights or one of repdistiller-fitnet",
        ),
        (
            "--plan {plan} --student zoo:resnet8 --weights-preset repdistiller-at --logit-loss kd",
            "the logit loss `kd` has weight 0; give `--weight-logit` a value above 0 or set it to none",
        ),
        (
            "--plan {plan} --student zoo:resnet8 --weights-preset repdistiller-at --balance",
            "the weights of the preset `repdistiller-at` are fixed; leave out either of the two",
        ),
        (
            "--plan {plan} --student zoo:resnet8 --weight-hint -1",
            "`weights.hint`: Input should be greater than",
        ),
        (
            "--plan {plan} --student zoo:resnet8 --schedule-hint decline",
            "`weight_schedule.hint`: a weight's schedule is `constant`, `decay` or `warmup:EPOCHS`, such as "
            "`warmup:20`; found `decline`",
        ),
        ("--plan {plan} --student zoo:resnet8 --recipe cifr", "unknown recipe `cifr`: did you mean `cifar`?"),
        (
            "--plan {plan} --student zoo:resnet8 --label-smoothing 1",
            "`label_smoothing`: Input should be less than 1; found `1.0`",
        ),
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
        ("--plan {plan} --student zoo:resnet8 --accumulate 3", "`accumulate` must divide the batch size 64"),
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
        (
            "train --model zoo:resnet8 --freeze --trunk-rate 0.1",
            "`--freeze` holds the trunk still; found `--trunk-rate 0.1` beside it",
        ),
        (
            "train --model zoo:resnet8 --freeze",
            "only a training that begins with trained weights has a trunk",
        ),
        ("train --model zoo:resnet8 --weights default", "`zoo:resnet8` has no published weights"),
        ("train --model zoo:resnet9", "unknown zoo model `resnet9`: did you mean `resnet8`?"),
        ("train --model zoo:resnet8 --data folder:/none", "no such folder: `/none`"),
        (
            "train --model zoo:resnet8 --schedule cosin",
            "unknown schedule `cosin`: did you mean `cosine`?",
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
    assert line == f"run `{run.id}` is lost and has no student yet; resume it, or end it by `runs finish`"


def test_a_job_that_fails_is_one_line_and_exit_code_1(pursuhint, plan_file: Path, monkeypatch):
    def fail(self, **_) -> None:
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


def test_a_dry_run_tells_what_comes_and_keeps_nothing(pursuhint, plan_file: Path):
    command = ("distill", "--plan", plan_file, "--student", STUDENT, *QUICK, "--seed", "3", "--dry-run")
    found = pursuhint(*command, "--json").json
    assert list(found["losses"]) == list(found["weights"]) == ["cls", "logit", "hint"]
    assert found["run_seconds"] == pytest.approx(found["ready_seconds"] + found["epoch_seconds"])
    printed = pursuhint(*command).out
    assert "weight x loss" in printed and "3 steps an epoch" in printed and "1 epoch in about" in printed
    assert list_runs() == []


def test_a_network_is_written_only_where_its_training_is_waited_for(pursuhint, tmp_path: Path):
    options = (
        "--model",
        "zoo:resnet8",
        "--data",
        "digits",
        "--detach",
        "--out",
        tmp_path / "net.safetensors",
    )
    line = pursuhint("train", *options).refused()
    assert line.startswith("`--out` is written where the training is waited for")
    assert not list_runs()


def test_the_command_says_the_rate_exactly():
    given = {"kind": "train", "student": "zoo:resnet8", "data": "digits", "preprocess": "digits"}
    options = train_options(make_settings(**given, learning_rate=0.012345678))
    assert "--lr 0.012345678" in options
