"""Teacher: training a teacher of one's own, and taking what a run has trained."""

from __future__ import annotations

import os

import psutil
import pytest

from app.own_teacher import OwnTeacher
from app.state import KEY
from app.teachers import REOPEN, TABS, TRAIN
from pursuhint.analysis import AnalysisFolder
from pursuhint.analysis.worker import work as analyse_folder
from pursuhint.data.suggestions import LARGE, SMALL
from pursuhint.dry_run import DryRun
from pursuhint.errors import InputError
from pursuhint.home import analyses_folder
from pursuhint.runs import create_run, find_run
from pursuhint.runs.as_teacher import as_teacher
from pursuhint.runs.worker import work
from pursuhint.training.outlook import ask_outlook, training_outlook
from pursuhint.training.settings import make_settings
from tests.app.conftest import texts, widget
from tests.tiny import FAST, STUDENT


@pytest.fixture
def train_one(open_page, teacher, monkeypatch):
    """Open the form: ``train_one(network=...)``; the outlook is told by this process, nothing is launched."""
    monkeypatch.setattr("app.cached.ask_outlook", training_outlook)
    monkeypatch.setattr("pursuhint.runs.folder.RunFolder.launch", lambda self, **_: 1)

    def go(**fields):
        app = open_page("teacher")
        app.session_state[TABS] = TRAIN
        app.session_state[KEY].school(**fields)
        return app.run()

    return go


def start(app):
    return widget(app.button, "Start training")


def test_an_empty_form_is_no_mistake_and_starts_nothing(train_one):
    app = train_one()
    assert not app.exception and not app.error and start(app).disabled
    assert widget(app.selectbox, "Recipe").value == "quick"
    assert [one.label for one in app.button if one.label == "How long will it take?"] == []


def test_what_is_filled_in_becomes_a_run(train_one):
    app = train_one()
    widget(app.number_input, "Epochs").set_value(2).run()
    app.session_state[KEY].school(network="resnet8?width=0.25", name="mine")
    app.run()
    shown = {one.label: one.value for one in app.metric}
    assert (shown["parameters"], shown["images"], shown["classes"]) == ("5.0 k", "1,000", "10")
    assert "--model 'zoo:resnet8?width=0.25'" in texts(app) and "--epochs 2" in texts(app)
    start(app).click().run()
    assert not app.exception
    (run,) = app.session_state[KEY].launched.values()
    assert find_run(run).run_settings == make_settings(
        kind="train",
        name="mine",
        student=STUDENT,
        data="digits",
        preprocess="digits",
        recipe="quick",
        epochs=2,
    )


def test_trained_weights_get_a_new_head_and_their_own_preprocessing(train_one, tiny_weights):
    fields = {"network": "zoo:resnet14?width=0.5", "data": "fake", "learn": "head"}
    app = train_one(begin="file", weights=str(tiny_weights), **fields)
    shown = {one.label: one.value for one in app.metric}
    assert shown["of them learn"] == "330"
    said = texts(app)
    assert "only the head is trained, 330 of" in said and "preprocessed as `digits`" in said
    assert "--trunk-rate 0" in said and f"--weights {tiny_weights}" in said
    assert [one.label for one in app.selectbox].count("Recipe") == 0
    assert widget(app.number_input, "Learning rate").value == 0.05


def test_the_time_is_that_of_the_first_steps(train_one, monkeypatch):
    tried = DryRun("cpu", {}, {}, {}, 0, 10, 0.5, 0.0, 1.0, 0.0, 80_000_000)
    asked = []
    monkeypatch.setattr("app.train_one.ask_dry_run", lambda settings: asked.append(settings) or tried)
    app = train_one(network=STUDENT, epochs=20)
    widget(app.button, "How long will it take?").click().run()
    assert "about 2 min" in texts(app)
    widget(app.text_input, "Name").set_value("other").run()  # takes no other time
    widget(app.number_input, "Epochs").set_value(40).run()
    assert "about 4 min" in texts(app) and len(asked) == 1
    widget(app.number_input, "Batch size").set_value(32).run()
    assert "about" not in texts(app) and widget(app.button, "How long will it take?")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"begin": "file", "weights": "/none/x.th"}, "**Weight file**: no such file: `/none/x.th`"),
        ({"batch_size": 5000}, "`batch_size` must be at most 1000, the number of training images"),
    ],
)
def test_what_cannot_work_is_refused_before_the_start(train_one, fields: dict, message: str):
    app = train_one(**{"network": "zoo:resnet8"} | fields)
    assert not app.exception and message in app.error[0].value
    assert start(app).disabled


def test_another_process_says_the_same(tiny_weights):
    given = {"data": "digits", "preprocess": "auto", "init": str(tiny_weights), "trunk_rate": 0}
    settings = make_settings(kind="train", student="zoo:resnet14?width=0.5", **given)
    assert ask_outlook(settings) == training_outlook(settings)
    with pytest.raises(InputError, match="these are the weights of `zoo:resnet14"):
        training_outlook(settings.model_copy(update={"student": "zoo:resnet20"}))


def test_networks_are_suggested_that_fit_the_images(train_one, tmp_path):
    from PIL import Image

    assert widget(train_one().selectbox, "Network").options == [*SMALL]
    for side, expected in ((32, SMALL), (200, LARGE)):
        folder = tmp_path / str(side) / "train" / "cat"
        folder.mkdir(parents=True)
        (folder / "0.txt").write_text("no image")
        Image.new("RGB", (side, side)).save(folder / "1.png")
        app = train_one(data=f"folder:{tmp_path / str(side)}")
        assert widget(app.selectbox, "Network").options == [*expected]


def test_choices_bring_their_numbers():
    numbers = lambda own: (own.epochs, own.learning_rate, own.settings().trunk_rate)  # noqa: E731
    begun = OwnTeacher(network="zoo:resnet8").changed(recipe="cifar")
    assert numbers(begun) == (240, 0.05, 1.0)
    begun = begun.changed(begin="file", weights="x.pt")
    assert numbers(begun) == (10, 0.02, 0.1)
    assert begun.settings().schedule == "cosine"  # a recipe in steps is for a training from the first step
    assert numbers(begun.changed(learn="head")) == (10, 0.05, 0.0)
    assert numbers(begun.changed(epochs=3).changed(learn="all")) == (10, 0.005, 1.0)
    assert numbers(begun.changed(begin="random")) == (240, 0.05, 1.0)


@pytest.fixture
def trained(teacher, tiny_weights):
    """A finished run that began with trained weights."""
    given = {"data": "digits", "preprocess": "digits", "init": str(tiny_weights), "trunk_rate": 0}
    run = create_run(make_settings(kind="train", student="zoo:resnet14?width=0.5", **given | FAST))
    work(run)
    return run


def test_a_trained_network_becomes_the_teacher(open_page, trained, monkeypatch):
    def analysed(settings):
        folder = AnalysisFolder(analyses_folder() / settings.key())
        folder.create(settings.model_dump(mode="json"))
        return analyse_folder(folder)

    monkeypatch.setattr("app.teachers.request_analysis", analysed)
    app = open_page("runs", run=trained.id)
    assert "only the head is trained, 330 of" in texts(app)
    widget(app.button, "Use as teacher →").click().run()
    app.run()  # what was watched is opened
    mine, key = app.session_state[KEY], as_teacher(trained).key()
    assert not app.exception and mine.watched is None
    assert mine.teacher == analyses_folder() / key and key in str(app.query_params["teacher"])
    card = AnalysisFolder(mine.teacher).card
    assert (card.data, card.teacher.preprocess) == ("digits", "digits")
    assert card.teacher.weights == str(trained.student)
    again = open_page("teacher", teacher=f"run:{trained.id}")  # the address of its run leads there too
    assert again.session_state[KEY].teacher == mine.teacher
    app.session_state[TABS] = REOPEN
    app.switch_page("../pages/teacher.py").run()
    assert "trained here" not in texts(app)  # it is listed with the analyses


def test_trained_networks_are_listed_until_they_are_analysed(open_page, trained, monkeypatch):
    asked = []

    def request(settings):
        asked.append(settings)
        folder = AnalysisFolder(analyses_folder() / settings.key())
        if len(asked) == 1:
            folder.create(settings.model_dump(mode="json"))
            me = psutil.Process(os.getpid())
            folder.set_state("running", pid=me.pid, born=me.create_time())
        return folder

    monkeypatch.setattr("app.teachers.request_analysis", request)
    monkeypatch.setattr("app.current.request_analysis", request)
    app = open_page("teacher")
    app.session_state[TABS] = REOPEN
    app.run()
    assert "digits · " in texts(app) and "trained here" in texts(app)
    widget(app.button, "Use").click().run()
    followed = open_page("teacher", teacher=f"run:{trained.id}")
    assert asked == 2 * [as_teacher(trained)]
    for one in (app, followed):
        assert not one.exception and widget(one.button, "Cancel")
        assert one.session_state[KEY].watched == analyses_folder() / as_teacher(trained).key()


def test_a_run_without_a_network_is_no_teacher(open_page, make_run):
    run = make_run("running")
    with pytest.raises(InputError, match="is running and has no network yet; wait until it has finished"):
        as_teacher(run)
    app = open_page("teacher", teacher=f"run:{run.id}")
    assert not app.exception and "has no network yet" in app.error[0].value
