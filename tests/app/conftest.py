"""The app without a browser: an analysis of its own, runs made by hand, pages opened by name."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import failures
from app.drawing.drawing import Events, callbacks
from app.state import KEY
from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.hints import choose_hints
from pursuhint.runs import RunFolder, create_run
from pursuhint.training.settings import make_settings

MAIN = Path(__file__).parents[2] / "app" / "main.py"
SECONDS = 60
FOLDED = ("beside", "more", "pairs", "elsewhere", "school-more", "school-command")


@pytest.fixture(autouse=True)
def _no_cache() -> None:
    """Forget what other tests made the app remember."""
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(autouse=True)
def _no_defect(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which a page stopped at a defect, which the page itself shows gently."""
    yield
    found = [one for one in caplog.records if one.name == failures.LOG.name and one.exc_info]
    assert not found, found[0].exc_text or found[0].exc_info


@pytest.fixture
def teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AnalysisFolder:
    """A copy of the built-in teacher's analysis, which the app opens first."""
    folder = tmp_path / "analysis"
    shutil.copytree(BUILTIN_ANALYSIS, folder)
    monkeypatch.setenv("PURSUHINT_ANALYSIS", str(folder))
    return AnalysisFolder(folder)


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Open a page by the name of its file, ``open_page("runs", run="...")``."""

    def go(name: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(MAIN), default_timeout=SECONDS)
        for key, value in query.items():
            app.query_params[key] = value
        for box in FOLDED:  # all that can be seen is
            app.session_state[f"fold-{box}"] = True
        app.switch_page(f"../pages/{name}.py").run()
        return app

    return go


@pytest.fixture
def make_run(teacher: AnalysisFolder) -> Callable[..., RunFolder]:
    """Write a run as the worker leaves it: ``make_run("finished", epochs=3)``; `done` of them, else all."""

    def make(
        state: str, *, epochs: int = 3, done: int | None = None, name: str = "", reason: str = ""
    ) -> RunFolder:
        plan = choose_hints(teacher)
        settings = make_settings(
            kind="distill",
            name=name,
            student="zoo:resnet8",
            data="digits",
            preprocess="digits",
            plan=plan,
            hint_loss="at",
            logit_loss="kd",
            epochs=epochs,
        )
        run = create_run(settings)
        sizes = {"parameters": 78_042, "teacher_parameters": 853_018, "compression": 10.93}
        run.journal.append("start", steps_per_epoch=2, **sizes)
        run.journal.append("weights", weights={"cls": 1.0, "logit": 2.5, "hint": 80.0})
        for epoch in range(1, (epochs if done is None else done) + 1):
            weighted = {"cls": 2.0 / epoch, "logit": 1.0 / epoch, "hint": 0.5 / epoch}
            total = sum(weighted.values())
            run.journal.append(
                "step", epoch=float(epoch), step=2 * epoch, total=total, weighted=weighted, learning_rate=0.05
            )
            shares = {"validation_accuracy": 0.5 + 0.1 * epoch, "validation_cross_entropy": 1.0}
            run.journal.append("epoch", epoch=epoch, images_per_second=800.0, **shares)
        if state == "finished":
            figures = {"test_accuracy": 0.91, "test_accuracy_last": 0.904, "n_test": 500}
            run.journal.append("final", best_epoch=epochs, **figures)
            run.student.write_bytes(b"weights")
        me = psutil.Process(os.getpid())
        who = {"pid": me.pid, "born": me.create_time()} if state != "lost" else {"pid": 2**22, "born": 0.0}
        run.set_state("running" if state == "lost" else state, reason=reason, **who)
        run.log.write_text("epoch 1\nepoch 2\n", encoding="utf-8")
        return run

    return make


def texts(app: AppTest) -> str:
    """Return all words of a page, for a search."""
    kinds = (app.title, app.caption, app.markdown, app.error, app.warning, app.latex, app.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def widget(elements: list, label: str):
    """Return the widget of that label."""
    return next(one for one in elements if one.label == label)


def hint_points(app) -> tuple[str, ...]:
    """Return the layers that the page's badges name."""
    badges = next(one.value for one in app.markdown if "-badge[HP1&" in one.value)
    return tuple(re.findall(r"-badge\[HP\d+&ensp;\*\*(.+?)\*\*\]", badges))


def call(app, callback, *args) -> None:
    """Run a callback of the app as a click would, then the page."""
    mine = app.session_state[KEY]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "session_state", {KEY: mine} | args[0])
        callback(*args[1:])
    app.run()


def drawn(app) -> dict:
    """Return what the page's drawing of layers or images was handed."""
    handed = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    (data,) = [one for one in handed if "layers" in one]  # the others save pictures
    return data


def tell(app: AppTest, key: str, events: Events, *told: tuple[str, Any]) -> None:
    """Do what a visitor does in a drawing, all of it before the server has heard of any."""
    numbered = [(app.session_state[KEY].heard.get(key, 0) + count, *one) for count, one in enumerate(told, 1)]
    call(app, callbacks(key, events)["on_told_change"], {key: {"told": numbered}})
