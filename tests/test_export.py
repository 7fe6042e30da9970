from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pursuhint import export
from pursuhint.errors import PursuhintError
from pursuhint.export import export_student, read_card
from pursuhint.models import build_model
from pursuhint.training.prepare import Parts, build_distiller, load_parts
from pursuhint.training.settings import RunSettings


@pytest.fixture
def settings(settings_for) -> RunSettings:
    return settings_for(hint_loss="fitnet")


@pytest.fixture
def parts(settings: RunSettings) -> Parts:
    return load_parts(settings)


def test_the_file_gives_the_same_logits_and_holds_no_regressor(settings, parts: Parts, tmp_path: Path):
    student = build_distiller(settings, parts).student.train()
    path = tmp_path / "student.safetensors"
    export_student(student, path, settings=settings, parts=parts, figures={})
    assert student.training
    assert load_file(path).keys() == student.state_dict().keys()
    again = build_model(parts.student.spec, classes=10, weights=path).model
    images = parts.preprocess.apply(parts.data.test.images())
    with torch.no_grad():
        assert torch.equal(again(images), student.eval()(images))


def test_the_card_says_what_it_is(settings, parts: Parts, tmp_path: Path, tiny_plan):
    path = tmp_path / "student.safetensors"
    returned = export_student(
        parts.student.model, path, settings=settings, parts=parts, figures={"test_accuracy": 0.5}
    )
    card = read_card(path)
    assert card == returned
    assert card["model"] == "zoo:resnet8?width=0.25"
    assert card["classes"] == [str(i) for i in range(10)]
    assert card["parameters"] == sum(p.numel() for p in parts.student.model.parameters())
    assert (card["preprocess"], card["data"], card["data_id"]) == ("digits", "digits", parts.data.id)
    assert (card["hint_loss"], card["logit_loss"], card["seed"], card["epochs"]) == ("fitnet", "kd", 3, 2)
    assert card["teacher"]["hash"] == tiny_plan.teacher.hash
    assert card["test_accuracy"] == 0.5


def test_a_file_that_computes_something_else_is_removed(settings, parts, tmp_path, monkeypatch):
    original = export.build_model

    def damaged(*arguments, **options):
        built = original(*arguments, **options)
        with torch.no_grad():
            next(built.model.parameters()).mul_(2)
        return built

    monkeypatch.setattr(export, "build_model", damaged)
    with pytest.raises(
        PursuhintError, match=r"the exported student differs from the trained one by .* in its logits"
    ):
        export_student(
            parts.student.model, tmp_path / "s.safetensors", settings=settings, parts=parts, figures={}
        )
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_nothing(settings, parts, tmp_path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        with pytest.raises(PursuhintError, match="File too large; free some space"):
            export_student(
                parts.student.model, tmp_path / "s.safetensors", settings=settings, parts=parts, figures={}
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert os.listdir(tmp_path) == []
