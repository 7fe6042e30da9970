"""Teacher: asking for an analysis, watching it, opening an earlier one."""

from __future__ import annotations

import os
import shutil

import psutil
import pytest

from app.state import KEY
from app.teachers import REOPEN, TABS
from pursuhint.allowed import VARIABLE
from pursuhint.analysis import AnalysisFolder, AnalysisSettings
from pursuhint.analysis.worker import analyse
from pursuhint.home import analyses_folder
from pursuhint.similarity import METRICS
from tests.app.conftest import texts, widget


@pytest.fixture
def asked(monkeypatch) -> list[AnalysisSettings]:
    """What was asked for; the worker is this process, which does nothing."""
    requests: list[AnalysisSettings] = []

    def request(settings: AnalysisSettings) -> AnalysisFolder:
        settings.check()
        requests.append(settings)
        folder = AnalysisFolder(analyses_folder() / settings.key())
        folder.create(settings.model_dump(mode="json"))
        me = psutil.Process(os.getpid())
        folder.set_state("running", pid=me.pid, born=me.create_time())
        folder.journal.append("progress", stage="reading the layers", done=128, total=512)
        return folder

    monkeypatch.setattr("app.teachers.request_analysis", request)
    return requests


def ask(app, **fields):
    """Fill in the form and send it; the checkpoint is a file that is there."""
    widget(app.text_input, "Network").set_value(fields.get("network", "zoo:resnet20"))
    widget(app.text_input, "Checkpoint").set_value(fields.get("checkpoint", __file__))
    widget(app.number_input, "Probe images").set_value(fields.get("samples", 500))
    return widget(app.button, "Analyse").click().run()


def test_the_teacher_is_shown_analysed(open_page, teacher):
    app = open_page("teacher")
    shown = {one.label: one.value for one in app.metric}
    assert shown["test accuracy"] == "99.60 %" and shown["parameters"] == "0.85 M"
    assert shown["candidate layers"] == "27" and shown["probe images"] == "1,000"
    rows = app.dataframe[0].value
    assert rows["layer"].tolist() == [layer.name for layer in teacher.layers]
    assert rows["output shape"][0] == "16 × 8 × 8" and rows["type"][0] == "BasicBlock"


def test_the_form_asks_for_what_it_says(open_page, teacher, asked):
    app = ask(open_page("teacher"))
    assert not app.exception and asked == [
        AnalysisSettings(teacher="zoo:resnet20", weights=__file__, data="digits", samples=500)
    ]
    assert "Cancel" in [one.label for one in app.button]


def test_what_cannot_work_is_refused_at_once_and_stays_in_the_form(open_page, teacher, asked):
    app = ask(open_page("teacher"), network="zoo:resnet57", checkpoint="/none/x.th")
    assert not app.exception and "did you mean `resnet56`?" in app.error[0].value
    assert asked == [] and app.session_state[KEY].watched is None
    assert widget(app.text_input, "Network").value == "zoo:resnet57"
    assert widget(app.text_input, "Checkpoint").value == "/none/x.th"
    ask(app)
    assert not app.error and len(asked) == 1


@pytest.mark.parametrize("network", ["torchvision:resnet18", "timm:vit_tiny", "resnet18", "resnet56"])
def test_names_that_only_torch_can_tell_are_left_to_the_worker(open_page, teacher, asked, network):
    ask(open_page("teacher"), network=network)
    assert [one.teacher for one in asked] == [network]


def test_the_built_in_teacher_needs_no_checkpoint(open_page, teacher, asked):
    ask(open_page("teacher"), network="digits-resnet56", checkpoint="")
    assert [one.weights for one in asked] == [None]


def test_the_worker_s_options_are_named_as_on_the_page(open_page, teacher, asked):
    app = ask(open_page("teacher"))
    watched = AnalysisFolder(app.session_state[KEY].watched)
    watched.set_state("failed", reason="near chance; allow it with `--allow-weak-teacher`")
    app.run()
    assert "allow it with “Go on even if the teacher is near chance level”" in app.error[0].value
    assert "Go on even if the teacher is near chance level" in [one.label for one in app.checkbox]


def test_cancel_asks_the_worker_to_stop(open_page, teacher, asked):
    app = ask(open_page("teacher"))
    widget(app.button, "Cancel").click().run()
    assert AnalysisFolder(app.session_state[KEY].watched).stop_asked()


def test_a_failure_shows_its_reason_and_can_be_closed(open_page, teacher, asked):
    app = ask(open_page("teacher"))
    watched = AnalysisFolder(app.session_state[KEY].watched)
    watched.set_state("failed", reason="the checkpoint tells 100 classes apart, `digits` has 10")
    app.run()
    assert not app.exception and "100 classes apart" in app.error[0].value
    widget(app.button, "Close").click().run()
    assert not app.error and app.session_state[KEY].watched is None


def test_a_finished_analysis_becomes_the_teacher(open_page, teacher, asked):
    app = ask(open_page("teacher"))
    watched = AnalysisFolder(app.session_state[KEY].watched)
    shutil.copytree(teacher.path, watched.path, dirs_exist_ok=True)
    app.run()
    assert not app.exception
    assert app.session_state[KEY].teacher == watched.path and app.session_state[KEY].watched is None
    assert watched.id in str(app.query_params["teacher"])


def test_a_setting_that_cannot_be_used_says_so(open_page, teacher, monkeypatch):
    from pursuhint.errors import InputError

    def refuse(settings):
        raise InputError("`samples` must be at least 4; found 3")

    monkeypatch.setattr("app.teachers.request_analysis", refuse)
    app = ask(open_page("teacher"))
    assert not app.exception and "must be at least 4" in app.error[0].value


def open_earlier(app):
    """Turn to the other tab."""
    app.session_state[TABS] = REOPEN
    return app.run()


def test_the_probe_images_carry_the_teacher_s_answers(open_page, teacher, monkeypatch):
    answers = teacher.probe["predictions"].copy()
    answers[0] = (teacher.probe["labels"][0] + 1) % 10
    answered = {**teacher.probe, "predictions": answers}
    monkeypatch.setattr(AnalysisFolder, "probe", answered)
    (drawn,) = [one.proto.body for one in open_page("teacher").get("html") if "<figure" in one.proto.body]
    assert drawn.count('src="data:image/png;base64,') == 6
    first, *others = drawn.split("<figure")[1:]
    assert f'class="wrong">{answers[0]}</figcaption>' in first
    assert all('class="right"' in other for other in others)


def test_earlier_analyses_can_be_opened_again(open_page, teacher):
    earlier = analyses_folder() / "0123456789ab"
    shutil.copytree(teacher.path, earlier)
    app = open_earlier(open_page("teacher"))
    next(one for one in app.button if one.label == "Open" and one.key == f"open-{earlier}").click().run()
    assert not app.exception and app.session_state[KEY].teacher == earlier
    assert earlier.name in str(app.query_params["teacher"])


def test_a_folder_that_is_no_analysis_or_may_not_be_read_says_so(open_page, teacher, tmp_path, monkeypatch):
    app = open_earlier(open_page("teacher"))
    widget(app.text_input, "Folder of an analysis").set_value(str(tmp_path / "none"))
    next(one for one in app.button if one.label == "Open" and "folder-form" in str(one.key or one.form_id))
    app.button(key="FormSubmitter:folder-form-Open").click().run()
    assert not app.exception and "holds no analysis" in texts(app)
    monkeypatch.setenv(VARIABLE, str(teacher.path))
    app.button(key="FormSubmitter:folder-form-Open").click().run()
    assert not app.exception and "none` lies outside of the folders that may be read" in texts(app)


def test_an_analysis_of_flattened_activations_offers_what_it_allows(open_page, monkeypatch, tmp_path):
    settings = AnalysisSettings(samples=300, pooling="flatten", device="cpu", threads=1)
    analyse(settings, tmp_path / "flat", whole=False)
    monkeypatch.setenv("PURSUHINT_ANALYSIS", str(tmp_path / "flat"))
    app = open_page("similarity")
    assert not app.exception and not app.error
    assert widget(app.selectbox, "Metric").options == [METRICS["cka_linear_debiased"].title]
    assert "300 images, flatten pooling" in texts(app)
    app.switch_page("../pages/hint_points.py").run()
    assert not app.exception
    assert [one.value for one in app.error] == []
