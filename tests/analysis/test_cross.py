"""Two analyses beside each other: kept cross matrices, runs that fit, and other poolings of one teacher."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder, cross
from pursuhint.analysis.cross import CrossMatrix, check_taught, cross_matrix, kept_cross_matrix, run_pairs
from pursuhint.analysis.siblings import find_sibling, poolings_of, sibling_settings
from pursuhint.errors import InputError
from pursuhint.files import read_json, write_json
from pursuhint.hints import choose_hints
from pursuhint.layers import Layer
from pursuhint.pairs import Pair
from pursuhint.runs import create_run
from pursuhint.training.settings import make_settings


@pytest.fixture
def copy(tmp_path):
    """Copy the shipped analysis: ``copy("name", pooling="grid2")`` changes its card."""

    def make(name: str, **changed: object) -> AnalysisFolder:
        shutil.copytree(BUILTIN_ANALYSIS, tmp_path / name)
        card = read_json(tmp_path / name / "analysis.json")
        write_json(tmp_path / name / "analysis.json", card | changed)
        return AnalysisFolder.open(tmp_path / name)

    return make


@pytest.fixture
def run_of(tmp_path):
    """Make a run of a plan."""

    def make(plan, **fields: object):
        given = {
            "kind": "distill",
            "preprocess": "digits",
            "student": "zoo:resnet8",
            "hint_loss": "at",
            "logit_loss": "kd",
            "plan": plan,
        }
        return create_run(
            make_settings(**given | {"data": "digits", "epochs": 1} | fields), folder=tmp_path / "runs"
        )

    return make


def test_a_cross_matrix_is_read_as_it_was_written(tmp_path):
    values = np.random.default_rng(0).random((2, 3))
    CrossMatrix(values, ("a", "b"), ("x", "y", "z"), "r2_cca", 60).save(tmp_path / "cross.npz")
    found = CrossMatrix.load(tmp_path / "cross.npz")
    np.testing.assert_array_equal(found.values, values)
    assert (found.rows, found.columns, found.metric, found.samples) == (
        ("a", "b"),
        ("x", "y", "z"),
        "r2_cca",
        60,
    )


def test_a_file_that_is_no_cross_matrix_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", similarity=np.eye(2))
    with pytest.raises(InputError, match="must hold a cross matrix: .*rows.*; write it again"):
        CrossMatrix.load(tmp_path / "other.npz")
    CrossMatrix(np.eye(2), ("a",), ("x", "y"), "r2_cca", 60).save(tmp_path / "wrong.npz")
    with pytest.raises(InputError, match=r"one row a layer .* found \(2, 2\); write it again"):
        CrossMatrix.load(tmp_path / "wrong.npz")


def test_it_is_computed_once_and_again_when_the_file_is_broken(copy, monkeypatch):
    teacher, student = copy("teacher"), copy("student")
    expected = cross_matrix(teacher, student, "r2_cca").values
    asked = []
    monkeypatch.setattr(cross, "cross_matrix", lambda *what: asked.append(what) or cross_matrix(*what))
    for _ in range(2):
        np.testing.assert_array_equal(kept_cross_matrix(teacher, student, "r2_cca").values, expected)
    assert len(asked) == 1
    (kept,) = (student.path / "cross").iterdir()
    kept.write_bytes(b"half")
    np.testing.assert_array_equal(kept_cross_matrix(teacher, student, "r2_cca").values, expected)
    assert len(asked) == 2 and CrossMatrix.load(kept).samples == 1000


def test_a_run_of_another_teacher_or_of_none_is_refused(copy, run_of):
    teacher = copy("teacher")
    plan = choose_hints(teacher)
    check_taught(run_of(plan), teacher)
    other = plan.model_copy(update={"teacher": plan.teacher.model_copy(update={"hash": "f" * 16})})
    with pytest.raises(InputError, match="learnt from another teacher: .*weights ffff.* open that teacher"):
        check_taught(run_of(other), teacher)
    alone = run_of(None, kind="train", hint_loss="none", logit_loss="none")
    with pytest.raises(InputError, match="trained a network without a teacher: choose a distillation"):
        check_taught(alone, teacher)


def test_the_pairs_are_those_that_the_run_trained(copy, run_of):
    teacher = copy("teacher")
    plan = choose_hints(teacher)  # three hint points, as many as the student has stages
    blocks = [Layer(f"layer{stage}.0", "BasicBlock", (8 * stage, 8, 8), 0, stage - 1) for stage in (1, 2, 3)]
    student = SimpleNamespace(layers=tuple(blocks))
    ends = [Pair(hint, block.name) for hint, block in zip(plan.hint_points, blocks, strict=True)]
    assert run_pairs(run_of(plan), student) == tuple(ends)
    own = Pair(plan.hint_points[0], "layer2.0")
    assert run_pairs(run_of(plan, pairs=(own,)), student) == (own, *ends[1:])
    assert run_pairs(run_of(plan, hint_loss="none"), student) == ()


def test_another_pooling_of_the_same_teacher_is_found(copy):
    teacher = copy("teacher")
    sibling, stranger = copy("sibling", pooling="grid2"), copy("stranger", pooling="grid2", samples=999)
    assert find_sibling(teacher, "grid2", among=[stranger, sibling]).path == sibling.path
    assert find_sibling(teacher, "grid4", among=[stranger, sibling]) is None
    assert find_sibling(teacher, "grid2") is None  # the user has none
    settings = sibling_settings(teacher, "grid2")
    assert (settings.pooling, settings.samples, settings.preprocess) == ("grid2", 1000, "digits")


def test_poolings_of_tokens_are_for_tokens():
    tokens = [Layer("b0", "Block", (197, 192), 0, 0)]
    assert "cls" in poolings_of(tokens) and "cls" not in poolings_of(
        [*tokens, Layer("c", "C", (8, 4, 4), 0, 1)]
    )
