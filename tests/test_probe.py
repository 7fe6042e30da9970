from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pursuhint import probe
from pursuhint.errors import InputError, PursuhintError
from pursuhint.layers import candidate_layers
from pursuhint.probe import SMALL_STUDENTS, StudentCard, ask_student, describe_student, suggest_students
from pursuhint.zoo import build_zoo

SPEC = "zoo:resnet8?width=0.25"


def test_a_student_is_described_by_its_layers_and_parameters():
    card = describe_student(SPEC, 10, (3, 8, 8))
    model = build_zoo("resnet8?width=0.25", classes=10)
    assert card.parameters == sum(p.numel() for p in model.parameters())
    assert list(card.layers) == candidate_layers(model, (3, 8, 8))
    assert StudentCard.from_dict(card.as_dict()) == card


def test_smaller_students_are_suggested_largest_first():
    cards = suggest_students(100_000, 10, (3, 8, 8))
    sizes = [card.parameters for card in cards]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < 100_000
    assert {card.spec for card in cards} < set(SMALL_STUDENTS)


def test_another_process_answers_once_and_the_answer_is_kept(pursuhint_home: Path, monkeypatch):
    card = ask_student(SPEC, 10, (3, 8, 8))
    assert card == describe_student(SPEC, 10, (3, 8, 8))
    assert len(list((pursuhint_home / "students").iterdir())) == 1
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("asked twice"))
    assert ask_student(SPEC, 10, (3, 8, 8)) == card


def answer(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(probe.sys, "argv", ["probe", *map(str, arguments)])
    return probe.main()


def test_the_process_prints_json(monkeypatch, capsys):
    import json

    assert answer(monkeypatch, SPEC, 10, 3, 8, 8) == 0
    assert StudentCard.from_dict(json.loads(capsys.readouterr().out)).spec == SPEC


def test_the_process_says_what_is_wrong(monkeypatch, capsys):
    assert answer(monkeypatch, "zoo:resnet9", 10, 3, 8, 8) == 2
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
