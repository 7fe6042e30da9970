"""`students`, and students that `distill` finds by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

import pursuhint as ph
from pursuhint.runs import RunFolder, find_run, list_runs
from pursuhint.runs.untaught import untaught_settings
from pursuhint.students import Target, describe_student, propose_students
from tests.tiny import FAST, TEACHER

QUICK = ("--epochs", "1", "--limit", "96", "--batch-size", "32", "--device", "cpu", "--threads", "1")


def test_students_in_json(pursuhint, teacher):
    found = pursuhint("students", *teacher, "--compression", "2", "--count", "2", "--json").json
    assert found["target"] == {"compression": 2.0, "by": "parameters"}
    assert found["input_shape"] == [3, 8, 8]
    assert (found["teacher"]["spec"], found["teacher"]["compression"]) == (TEACHER, 1.0)
    expected = propose_students(TEACHER, 10, (3, 8, 8), compression=2, count=2)
    timeless = [one | {"latency": None} for one in found["students"]]
    assert timeless == [one.as_dict() for one in expected]
    assert all(0 < one["latency"] < 1 for one in [found["teacher"], *found["students"]])


def test_students_in_words(pursuhint):
    answer = pursuhint("students", "--teacher", "zoo:resnet14", "--by", "flops", "--no-latency")
    title, head, first, second, *_ = answer.out.splitlines()
    assert title == "Nearest to 2.5 times fewer FLOPs"
    assert head.split() == ["network", "parameters", "compression", "MFLOPs", "FLOPs", "ratio", "layers"]
    card = describe_student("zoo:resnet14", 10, (3, 8, 8))
    figures = f"{card.parameters:,} 1.00 {card.flops / 1e6:,.1f} 1.00 6"
    assert first.split() == ["teacher", "zoo:resnet14", *figures.split()]
    best = propose_students("zoo:resnet14", 10, (3, 8, 8), by="flops")[0]
    assert second.split()[:2] == ["student", best.spec] and f"{best.flops_ratio:.2f}" in second


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--compression 1", "the compression must be a number above 1, such as 2.5; found `1`"),
        ("--by size", "unknown measure of size `size`. Known: parameters, flops"),
        ("--count 0", "`count` must be at least 1; found 0"),
        ("--threads 0", "`threads` must be at least 1; found 0"),
        ("--teacher zoo:resnet57", "unknown zoo model `resnet57`: did you mean `resnet56`?"),
        ("--teacher zoo:resnet8?width=0.05", "nothing smaller than `zoo:resnet8?width=0.05` is known"),
    ],
)
def test_what_cannot_be_proposed_is_refused(pursuhint, arguments: str, message: str):
    assert message in pursuhint("students", *arguments.split(), "--json").refused()


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("auto", {}),
        ("auto:4", {"compression": 4}),
        ("auto:flops:3", {"compression": 3, "by": "flops"}),
    ],
)
def test_distill_finds_the_nearest_student(pursuhint, plan_file: Path, monkeypatch, text: str, target: dict):
    monkeypatch.setattr(RunFolder, "launch", lambda self, **_: 1)
    found = pursuhint("distill", "--plan", plan_file, "--student", text, "--detach", "--json").json
    nearest = propose_students(TEACHER, 10, (3, 8, 8), **target)[0]
    assert find_run(found["id"]).run_settings.student == nearest.spec


def test_distill_prints_what_it_found_beside_the_teacher(pursuhint, plan_file: Path, monkeypatch):
    monkeypatch.setattr(RunFolder, "launch", lambda self, **_: 1)
    out = pursuhint("distill", "--plan", plan_file, "--student", "auto:3", "--detach").out
    nearest = propose_students(TEACHER, 10, (3, 8, 8), compression=3)[0]
    title, _, teacher, student = out.splitlines()[:4]
    assert title == f"Student {nearest.spec}: nearest to 3 times fewer parameters"
    assert teacher.split()[:2] == ["teacher", TEACHER]
    assert student.split()[:4] == [
        *("student", nearest.spec),
        *(f"{nearest.parameters:,}", f"{nearest.compression:.2f}"),
    ]


def test_proposals_that_miss_the_target_are_remarked_on(pursuhint):
    asked = ("students", "--teacher", "zoo:resnet14", "--no-latency", "--compression")
    answer = pursuhint(*asked, 10**5)
    said = " ".join(answer.err.split())
    assert said.endswith("where 100000 times was wanted; name another student to come nearer")
    assert pursuhint(*asked, 3).err == ""


def test_a_run_whose_automatic_student_misses_its_target_warns(pursuhint, plan_file: Path):
    """Before the training in the command's words, in a dry run, and in the run itself."""
    missed = ("distill", "--plan", plan_file, "--student", "auto:flops:100000", *QUICK)
    answer = pursuhint(*missed)
    (run,) = list_runs()
    (warning,) = (text for text in run.history().warnings if "was wanted" in text)
    found = propose_students(TEACHER, 10, (3, 8, 8), compression=1e5, by="flops")[0]
    assert warning == found.remark and found.remark.startswith(
        f"`{found.spec}` has {found.flops_ratio:.2f} times"
    )
    assert warning in " ".join(answer.err.split())
    assert run.run_settings.wanted == Target(1e5, "flops")
    assert warning in pursuhint(*missed, "--dry-run", "--json").json["warnings"]
    alone = untaught_settings(run.run_settings)
    assert (alone.student, alone.wanted) == (found.spec, None)


def test_an_automatic_student_that_is_written_wrongly_is_refused(pursuhint, plan_file: Path):
    line = pursuhint("distill", "--plan", plan_file, "--student", "auto:half").refused()
    assert line == "an automatic student is written `auto`, `auto:2.5` or `auto:flops:4`; found `auto:half`"


def test_python_finds_the_same_student(tiny_plan, tmp_path: Path):
    run = ph.distill(tiny_plan, "auto:4", folder=tmp_path, **FAST | {"epochs": 1})
    assert run.run_settings.student == propose_students(TEACHER, 10, (3, 8, 8), compression=4)[0].spec
    assert not any("was wanted" in text for text in run.history().warnings)
    run = ph.distill(tiny_plan, "auto:100000", folder=tmp_path, **FAST | {"epochs": 1})
    assert sum("where 100000 times was wanted" in text for text in run.history().warnings) == 1
