"""A teacher, its analysis and a plan that are small enough to be made anew for every test session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TEACHER = "zoo:resnet14?width=0.5"
STUDENT = "zoo:resnet8?width=0.25"
FAST = {"device": "cpu", "threads": 1, "batch_size": 32, "limit": 96, "epochs": 2, "seed": 3}


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory):
    """The finished run that trained the teacher: 6 blocks, above 80 % on the digits."""
    from pursuhint.runs import create_run
    from pursuhint.runs.worker import work
    from pursuhint.training.settings import make_settings

    settings = make_settings(
        kind="train",
        student=TEACHER,
        data="digits",
        preprocess="digits",
        warmup=0.5,
        **FAST | {"epochs": 3, "limit": None},
    )
    run = create_run(settings, folder=tmp_path_factory.mktemp("teacher"))
    with pytest.MonkeyPatch.context() as patch:  # a session's fixture comes before the test's own home
        patch.setenv("PURSUHINT_HOME", str(tmp_path_factory.mktemp("home")))
        assert work(run)["test_accuracy"] > 0.8
    return run


@pytest.fixture(scope="session")
def tiny_weights(tiny_run) -> Path:
    """The teacher's checkpoint."""
    return tiny_run.student


@pytest.fixture(scope="session")
def tiny_teacher(tiny_weights: Path):
    """The loaded teacher."""
    from pursuhint.data import load_data
    from pursuhint.teacher import load_teacher

    return load_teacher(
        TEACHER, weights=tiny_weights, data=load_data("digits"), preprocess="digits", device="cpu"
    )


@pytest.fixture(scope="session")
def tiny_analysis(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory):
    """The teacher's analysis on 200 probe images; not to be written to."""
    from pursuhint.analysis import AnalysisSettings
    from pursuhint.analysis.worker import analyse

    settings = AnalysisSettings(
        teacher=TEACHER,
        weights=str(tiny_weights),
        preprocess="digits",
        samples=200,
        device="cpu",
        threads=1,
    )
    return analyse(settings, tmp_path_factory.mktemp("analysis") / "tiny")


@pytest.fixture(scope="session")
def tiny_plan(tiny_analysis):
    """The automatic plan with three hint points."""
    from pursuhint.hints import choose_hints

    return choose_hints(tiny_analysis, metric="cka_linear", clusters=3)


@pytest.fixture
def settings_for(tiny_plan) -> Callable[..., Any]:
    """Build the settings of a distillation that takes less than a second: ``settings_for(epochs=1)``."""
    from pursuhint.training.settings import make_settings

    def build(**fields: Any):
        given = {
            "kind": "distill",
            "plan": tiny_plan,
            "student": STUDENT,
            "data": "digits",
            "preprocess": "digits",
            "hint_loss": "at",
            "logit_loss": "kd",
        }
        return make_settings(**given | FAST | fields)

    return build
