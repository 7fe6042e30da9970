"""What the analysis form refuses before a worker starts, and what it leaves to the worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.form_checks import problems, resolved, training_problems
from app.own_teacher import OwnTeacher
from pursuhint.allowed import VARIABLE
from pursuhint.analysis import AnalysisSettings
from pursuhint.errors import InputError

HERE = str(Path(__file__).parent)
ROOT = Path(__file__).parents[2]


def lines_of(found: dict[str, str]) -> list[str]:
    return [f"**{field}**: {reason}" for field, reason in found.items()]


GOOD = {"teacher": "zoo:resnet20", "weights": __file__, "data": "digits", "preprocess": "auto"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"teacher": ""}, "**Network**: the field is empty; name a network, such as `zoo:resnet56`"),
        ({"teacher": "zoo:resnet57"}, "**Network**: unknown zoo model `resnet57`: did you mean `resnet56`?"),
        ({"teacher": "zooo:resnet56"}, "**Network**: unknown model source `zooo`: did you mean `zoo`?"),
        ({"teacher": "resnet56?width=99"}, "**Network**: `width` must be a number above 0"),
        ({"weights": None}, "**Checkpoint**: the field is empty; name the file of the trained weights"),
        ({"weights": "/none/x.th"}, "**Checkpoint**: no such file: `/none/x.th`; check the path"),
        ({"weights": HERE}, f"**Checkpoint**: `{HERE}` is a folder; name the weight file in it"),
        ({"teacher": "builtin:digits-resnet56"}, "brings its own weights; leave the field empty"),
        ({"data": "diggits"}, "**Data**: unknown data set `diggits`: did you mean `digits`?"),
        ({"data": "folder:"}, "**Data**: `folder` needs a path; write `folder:/path/to/images`"),
        ({"data": "folder:/none"}, "**Data**: no such folder: `/none`; write where it is, as in `folder:/"),
        ({"data": "cifar10:/none"}, "**Data**: no such folder: `/none`; write where it is, as in `cifar10:/"),
        ({"data": "cifar100"}, "/data`; write where it is, as in `cifar100:/path/to/data`"),
        (
            {"preprocess": "imagnet"},
            "**Preprocessing**: unknown preprocess `imagnet`: did you mean `imagenet",
        ),
        ({"weights": "a\0b"}, "**Checkpoint**: a path is at most 4,096 characters that can be shown"),
        ({"data": f"folder:/{'n' * 300}"}, "cannot be a path: File name too long; check it"),
        ({"preprocess": "0.5,0.5/0.2"}, "**Preprocessing**: a preprocess must be one of imagenet, "),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_the_reason(fields, message):
    (line,) = lines_of(problems(AnalysisSettings(**GOOD | fields)))
    assert message in line and "--" not in line and "\n" not in line


def test_paths_out_of_the_allowed_folders_are_refused_by_field(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    asked = AnalysisSettings(**GOOD | {"data": "folder:/etc"})
    checkpoint, data = lines_of(problems(asked))
    assert checkpoint.startswith(f"**Checkpoint**: `{__file__}` lies outside of the folders that may be read")
    assert data.startswith("**Data**: `/etc` lies outside")
    with pytest.raises(InputError, match="lies outside"):
        resolved(asked)


def test_what_is_asked_for_names_whole_paths(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    asked = resolved(AnalysisSettings(weights="a/../w.pt", data="folder:images"))
    assert (asked.weights, asked.data) == (f"{tmp_path}/w.pt", f"folder:{tmp_path}/images")


def test_every_field_that_must_change_is_named():
    found = problems(AnalysisSettings(teacher="", data="folder:/none", preprocess="x"))
    assert list(found) == ["Network", "Checkpoint", "Data", "Preprocessing"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"teacher": "resnet56?width=0.5"},
        {"teacher": "torchvision:resnet0"},  # only torch can tell
        {"teacher": "timm:resnet0"},
        {"teacher": "resnet0"},  # may be torchvision's
        {"teacher": "digits-resnet56", "weights": None},
        {"teacher": "builtin:digits-resnet56", "weights": None},
        {"data": f"folder:{HERE}"},
        {"data": f"cifar10:{HERE}"},
        {"data": "fake"},
        {"preprocess": "0.5,0.5,0.5/0.2,0.2,0.2/64"},
    ],
)
def test_what_may_work_is_let_through(fields):
    assert problems(AnalysisSettings(**GOOD | fields)) == {}


def test_the_app_s_process_stays_without_torch():
    names = (
        "zoo:resnet57",
        "resnet0",
        "torchvision:resnet18",
        "timm:x",
        "builtin:digits-resnet56",
        "y:z",
        "",
    )
    script = f"""
import sys
from app.form_checks import problems
from pursuhint.analysis import AnalysisSettings
print([len(problems(AnalysisSettings(teacher=name))) for name in {names}], "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[2, 1, 1, 1, 0, 2, 2] False\n", done.stderr


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"network": "zoo:resnet57"}, "**Network**: unknown zoo model `resnet57`: did you mean `resnet56`?"),
        ({"network": "digits-resnet56"}, "**Network**: `digits-resnet56` is trained already; name an arch"),
        ({"data": "folder:/none"}, "**Data**: no such folder: `/none`"),
        ({"preprocess": "imagnet"}, "**Preprocessing**: unknown preprocess `imagnet`"),
        ({"begin": "file"}, "**Weight file**: the field is empty; name the file of the trained weights"),
        ({"begin": "file", "weights": HERE}, f"**Weight file**: `{HERE}` is a folder; name the weight file"),
        ({"begin": "published"}, "**Weights to begin with**: `zoo:resnet20` has no published weights"),
    ],
)
def test_a_training_that_cannot_begin_names_the_field(fields, message):
    (line,) = lines_of(training_problems(OwnTeacher(**{"network": "zoo:resnet20"} | fields)))
    assert message in line and "\n" not in line


@pytest.mark.parametrize(
    "fields",
    [{}, {"begin": "file", "weights": __file__}, {"network": "torchvision:resnet0", "begin": "published"}],
)
def test_a_training_that_may_begin_passes(fields):
    assert training_problems(OwnTeacher(**{"network": "zoo:resnet20"} | fields)) == {}
