from __future__ import annotations

import io
import json
import subprocess
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from pursuhint import probe
from pursuhint.data import load_data
from pursuhint.errors import InputError, PursuhintError
from pursuhint.layers import candidate_layers
from pursuhint.probe import (
    ask_latencies,
    ask_proposals,
    ask_student,
    ask_training_images,
    suggest_students,
)
from pursuhint.students import StudentCard, Target, describe_student, known, propose_students
from pursuhint.students.known import SMALL_STUDENTS
from pursuhint.zoo import build_zoo

SPEC = "zoo:resnet8?width=0.25"


def test_a_student_is_described_by_its_layers_and_parameters():
    card = describe_student(SPEC, 10, (3, 8, 8))
    model = build_zoo("resnet8?width=0.25", classes=10)
    assert card.parameters == sum(p.numel() for p in model.parameters())
    assert list(card.layers) == candidate_layers(model, (3, 8, 8))
    assert StudentCard.from_dict(card.as_dict()) == card


def test_proposals_are_suggested_before_known_students_that_are_smaller():
    cards = suggest_students("zoo:resnet14", 10, (3, 8, 8))
    proposed = [one.spec for one in propose_students("zoo:resnet14", 10, (3, 8, 8))]
    assert [card.spec for card in cards[: len(proposed)]] == proposed
    others = cards[len(proposed) :]
    sizes = [card.parameters for card in others]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < describe_student("zoo:resnet14", 10, (3, 8, 8)).parameters
    assert {card.spec for card in others} < set(SMALL_STUDENTS)


def test_a_teacher_without_smaller_relatives_gets_the_known_students(monkeypatch):
    monkeypatch.setattr(known, "SMALL_STUDENTS", ("zoo:resnet8", "zoo:resnet56?width=3"))
    (card,) = suggest_students("torchvision:mobilenet_v2", 10, (3, 32, 32))
    assert card.spec == "zoo:resnet8"


def test_proposals_come_from_another_process_and_are_kept(pursuhint_home: Path, monkeypatch):
    here: list[list[str]] = []

    def run(command, **_):
        here.append(command[1:])
        monkeypatch.setattr(probe.sys, "argv", ["probe", command[-1]])
        with redirect_stdout(io.StringIO()) as out:
            code = probe.main()
        return subprocess.CompletedProcess(command, code, stdout=out.getvalue(), stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    found = propose_students("zoo:resnet14", 10, (3, 8, 8), compression=3, by="flops")
    for _ in range(2):
        cards = ask_proposals("zoo:resnet14", 10, (3, 8, 8), Target(3.0, "flops"))
        assert cards == tuple(describe_student(one.spec, 10, (3, 8, 8)) for one in found)
    question = ["proposals", "zoo:resnet14", 10, [3, 8, 8], 3.0, "flops"]
    assert here == [["-m", "pursuhint.probe", json.dumps(question)]]


def test_answers_of_an_older_version_are_asked_for_again(pursuhint_home: Path, monkeypatch):
    asked = []

    def run(command, **_):
        asked.append(json.loads(command[-1]))
        card = describe_student(SPEC, 10, (3, 8, 8))
        return subprocess.CompletedProcess([], 0, stdout=json.dumps(card.as_dict()), stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    ask_student(SPEC, 10, (3, 8, 8))
    monkeypatch.setattr(probe, "VERSION", probe.VERSION + 1)
    ask_student(SPEC, 10, (3, 8, 8))
    assert asked == [["student", SPEC, 10, [3, 8, 8]]] * 2


def test_a_card_without_flops_can_still_be_read():
    fields = describe_student(SPEC, 10, (3, 8, 8)).as_dict()
    del fields["flops"]
    assert StudentCard.from_dict(fields).flops is None


def test_another_process_answers_once_and_the_answer_is_kept(pursuhint_home: Path, monkeypatch):
    card = ask_student(SPEC, 10, (3, 8, 8))
    assert card == describe_student(SPEC, 10, (3, 8, 8))
    assert len(list((pursuhint_home / "students").iterdir())) == 1
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("asked twice"))
    assert ask_student(SPEC, 10, (3, 8, 8)) == card


def answer(monkeypatch: pytest.MonkeyPatch, *question: object) -> int:
    monkeypatch.setattr(probe.sys, "argv", ["probe", json.dumps(question)])
    return probe.main()


def test_the_process_prints_json(monkeypatch, capsys):
    assert answer(monkeypatch, "student", SPEC, 10, [3, 8, 8]) == 0
    assert StudentCard.from_dict(json.loads(capsys.readouterr().out)).spec == SPEC


def test_the_process_says_what_is_wrong(monkeypatch, capsys):
    assert answer(monkeypatch, "student", "zoo:resnet9", 10, [3, 8, 8]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: unknown zoo model `resnet9`: did you mean `resnet8`?")


@pytest.mark.parametrize(("code", "kind"), [(2, InputError), (1, PursuhintError)])
def test_its_complaint_becomes_our_error(monkeypatch, pursuhint_home: Path, code: int, kind: type):
    done = subprocess.CompletedProcess([], code, stdout="", stderr="warning\nerror: no such thing\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(kind, match="^no such thing$") as caught:
        ask_student(SPEC, 10, (3, 8, 8))
    assert type(caught.value) is kind
    assert not (pursuhint_home / "students").exists()


def test_an_answer_that_does_not_come_is_an_error(monkeypatch):
    def late(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("probe", 120)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(
        PursuhintError, match="describing `zoo:resnet8.*` took longer than 120 s; try something smaller"
    ):
        ask_student(SPEC, 10, (3, 8, 8))


def test_latencies_and_images_are_measured_and_counted_there(monkeypatch, capsys):
    assert answer(monkeypatch, "latencies", [SPEC, "zoo:resnet14"], 10, [3, 8, 8]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert 0 < first < second
    assert answer(monkeypatch, "training images", "digits", "any") == 0
    assert json.loads(capsys.readouterr().out) == len(load_data("digits").train) == 1000


def test_latencies_are_measured_anew_and_a_count_is_kept(pursuhint_home: Path, monkeypatch):
    answers, asked = {"latencies": [0.25, 0.5], "training images": 7}, []

    def run(command, **_):
        asked.append(json.loads(command[-1]))
        return subprocess.CompletedProcess([], 0, stdout=json.dumps(answers[asked[-1][0]]), stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    for _ in range(2):
        assert ask_latencies([SPEC, "zoo:resnet14"], 10, (3, 8, 8)) == (0.25, 0.5)
        assert ask_training_images("digits", "hash") == 7
    assert ask_training_images("digits", "other") == 7
    assert [question[0] for question in asked].count("latencies") == 2
    assert [question[1:] for question in asked if question[0] == "training images"] == [
        ["digits", "hash"],
        ["digits", "other"],
    ]


def test_a_layer_inside_of_a_block_is_described_when_it_is_asked_for():
    plain = describe_student(SPEC, 10, (3, 8, 8))
    more = describe_student(SPEC, 10, (3, 8, 8), ("layer2.0.conv1", "layer9"))
    assert {layer.name for layer in more.layers} - {layer.name for layer in plain.layers} == {
        "layer2.0.conv1"
    }
    assert (more.parameters, more.flops) == (plain.parameters, plain.flops)
