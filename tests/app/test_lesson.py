"""The lesson: every step has a figure that its control changes, a question, and an answer that is so."""

from __future__ import annotations

import statistics

import pytest

from app.lesson.article import LESSON
from app.lesson.does_it_matter import TITLES
from app.lesson.reading import STEPS, Reading, step_named
from app.lesson.step import Answer
from app.lesson.your_turn import STUDENT
from app.state import KEY
from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.analysis.image_maps import ImageMaps
from pursuhint.errors import InputError
from pursuhint.explanations import EXPLANATIONS
from pursuhint.hints import choose_hints
from pursuhint.lesson import gains, load_trainings
from pursuhint.runs import list_runs
from tests.app.conftest import texts

CONTROLS = {
    1: ("select_slider", "layer3.8"),
    2: ("select_slider", 100),
    3: ("segmented_control", 3),
    4: ("select_slider", "layer2.5"),
    5: ("select_slider", 8.0),
    6: ("slider", 3),
    7: ("pills", ["layer1.6", "layer2.6", "layer3.5"]),
}


def figure(app) -> str:
    (chart,) = app.get("plotly_chart")
    return chart.proto.spec


def control(app, step: int):
    kind = CONTROLS[step][0]
    kind = "button_group" if kind in ("segmented_control", "pills") else kind
    return next(one for one in app.get(kind) if one.key != "lesson-step")


@pytest.fixture(scope="module")
def analysis() -> AnalysisFolder:
    return AnalysisFolder(BUILTIN_ANALYSIS)


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_step_from_its_address_to_its_answer(open_page, step):
    app = open_page("lesson", step=str(step))
    assert not app.exception and not app.error
    assert app.title[0].value == LESSON[step - 1].title
    assert f"step {step} of {STEPS}" in texts(app)
    before = figure(app)
    control(app, step).set_value(CONTROLS[step][1]).run()
    assert not app.exception and not app.error
    assert figure(app) != before
    answer = LESSON[step - 1].answer(AnalysisFolder(BUILTIN_ANALYSIS))
    assert answer.why not in texts(app)
    guess = app.radio[0] if app.radio else app.number_input[0]
    guess.set_value(answer.right if app.radio else 0.05).run()
    app.button(key="lesson-reveal").click().run()
    assert answer.why in texts(app)
    assert ("**Right. " if app.radio else "**Not quite. ") in texts(app)
    assert not [one for one in app.button if one.key == "lesson-reveal"]


def test_back_and_forth_keeps_what_was_done(open_page):
    app = open_page("lesson")
    app.radio[0].set_value(app.radio[0].options[0]).run()
    app.button(key="lesson-reveal").click().run()
    app.button(key="lesson-next").click().run()
    assert app.title[0].value == LESSON[1].title
    assert app.query_params["step"] in ("2", ["2"])
    app.button(key="lesson-back").click().run()
    assert app.radio[0].value == app.radio[0].options[0]
    assert "**Not quite. Only in the third stage.**" in texts(app)


@pytest.mark.parametrize("step", ["0", "8", "three"])
def test_an_address_without_such_a_step(open_page, step):
    app = open_page("lesson", step=step)
    assert not app.exception
    assert f"steps 1 to 7: found `{step}`" in app.error[0].value
    assert app.title[0].value == LESSON[0].title
    with pytest.raises(InputError, match="write one of these behind `step=`"):
        step_named(step)


def test_turning_beyond_the_ends_stays_there():
    assert Reading().turned(0).step == 1
    assert Reading().turned(STEPS + 1).step == STEPS


@pytest.mark.parametrize(("guess", "right"), [(0.6, True), (0.4, False), (None, False)])
def test_a_number_is_right_when_it_is_near(guess, right):
    assert Answer(0.65, "").fits(guess) == right


def test_the_words_of_the_lesson_hold(analysis):
    layers, student = analysis.layers, {one.spec: one for one in analysis.students}[STUDENT]
    assert len(layers) == 27 and {layer.shape[0] for layer in layers} == {16, 32, 64}
    assert load_trainings().student == STUDENT
    assert round(analysis.card.parameters / student.parameters) == 170
    assert set(TITLES) == {place.arm for place in load_trainings().places} - {"kd"}
    assert len(TITLES) == 1 + 7  # the labels, and seven choices
    topics = {topic for step in LESSON for topic in step.explained}
    assert topics <= set(EXPLANATIONS)


def test_luck_moves_a_training_further_than_the_place_of_its_hints():
    labels, *hints = gains(load_trainings(), seeds=load_trainings().seeds)
    assert labels.arm == "labels" and labels.clear and labels.mean < 0
    assert statistics.stdev(gain.mean for gain in hints) < min(statistics.stdev(one.each) for one in hints)


def test_layer1_4_is_about_equally_unlike_all_centres(analysis):
    plan, matrix = choose_hints(analysis), analysis.similarity("r2_cca", keep=False)
    place = matrix.layers.index("layer1.4")
    to_centres = [matrix.values[place, matrix.layers.index(centre)] for centre in plan.centres]
    assert max(to_centres) - min(to_centres) < 0.01
    assert "layer1.4" in plan.clusters[2]


def test_without_a_hint_point_nothing_can_be_trained(open_page):
    app = open_page("lesson", step="7")
    control(app, 7).set_value([]).run()
    assert not app.exception
    assert "Choose at least one layer" in texts(app)
    assert not [one for one in app.button if str(one.key).startswith("lesson-start")]


def test_the_readers_plan_goes_to_distill(open_page):
    app = open_page("lesson", step="7")
    control(app, 7).set_value(["layer1.6", "layer3.5"]).run()
    app.button(key="lesson-take").click().run()
    assert not app.exception
    assert app.title[0].value == "Distill"
    assert "teaches at layer1.6, layer3.5" in texts(app)


def test_the_readers_plan_trains_a_student(open_page, monkeypatch):
    monkeypatch.setattr("pursuhint.runs.RunFolder.launch", lambda run: 0)  # the browser test starts one
    app = open_page("lesson", step="7")
    control(app, 7).set_value(["layer2.6"]).run()
    app.button(key=f"lesson-start-{app.session_state[KEY].ticket}").click().run()
    assert not app.exception
    (run,) = list_runs()
    wanted = run.run_settings
    assert wanted.plan.hint_points == ("layer2.6",)
    assert (wanted.student, wanted.epochs, wanted.hint_loss) == (STUDENT, 8, "at")


def test_a_shipped_map_that_is_damaged_is_said(open_page, monkeypatch):
    monkeypatch.setattr(ImageMaps, "load", lambda maps, layer: None)
    app = open_page("lesson", step="1")
    assert "comes with PURSUhInT, is missing or damaged" in app.error[0].value
