"""The drawing of the layers: what it is handed, and what comes of what a visitor does with it."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.typing import ButtonColumnClickState

from app.choices import Choice
from app.drawing.drawing import callbacks, text_of
from app.explorer.explorer import EVENTS, KEY, PARTS
from app.plans import CLICKED, taken
from app.state import KEY as MINE
from pursuhint.comparison import beside_presets
from pursuhint.coverage import coverage
from pursuhint.hints import choose_hints
from pursuhint.stability import StabilityQuestion
from tests.app.conftest import call, drawn, hint_points, tell, texts, widget


def send(app, event: str, value) -> None:
    """Do what a visitor does in the drawing."""
    tell(app, KEY, EVENTS, (event, value))


def test_the_drawing_shows_the_plan_in_force(open_page, teacher):
    data, plan = drawn(open_page("hint_points")), choose_hints(teacher)
    assert tuple(data["layers"]) == plan.layers
    assert tuple(data["layers"][hint] for hint in data["hints"]) == plan.hint_points
    values = teacher.similarity("r2_cca").values
    np.testing.assert_allclose(data["similarity"], values, atol=5e-5)
    assert data["coverage"] == pytest.approx(coverage(values, data["hints"]))
    assert [stage["shape"] for stage in data["stages"]] == ["16 ch · 8×8", "32 ch · 4×4", "64 ch · 2×2"]
    assert data["abouts"][0] == "BasicBlock · 16 ch · 8×8 · 4.7 k parameters"
    assert tuple(data["names"]) == plan.layers  # they fit on the map
    assert set(data["sides"]) == {str(hint) for hint in data["hints"]}
    assert not data["fixed"] and data["look"] == {"order": "dendrogram", "map": "mds", "selected": ""}


def test_the_student_that_was_chosen_stands_below_with_its_pairs(open_page, teacher):
    app = open_page("hint_points")
    assert drawn(app)["student"] is None
    app.switch_page("../pages/distill.py").run()
    app.session_state[MINE].cook(student="zoo:resnet20")
    app.switch_page("../pages/hint_points.py").run()
    student, layers = drawn(app)["student"], drawn(app)["layers"]
    assert student["name"].startswith("resnet20 · ") and student["stages"] == [3, 3, 3]
    pairs = {layers[hint]: student["layers"][guided] for hint, guided in student["pairs"]}
    ends = ("layer1.2", "layer2.2", "layer3.2")
    assert pairs == dict(zip(choose_hints(teacher).hint_points, ends, strict=True))
    app.session_state[MINE].guide(choose_hints(teacher).hint_points[0], "layer1.0")
    assert student["layers"][drawn(app.run())["student"]["pairs"][0][1]] == "layer1.0"
    app.session_state[MINE].cook(hint_loss="none")
    assert drawn(app.run())["student"] is None


def test_how_often_a_layer_is_chosen_is_shown_once_it_was_measured(open_page, teacher):
    found = teacher.kept_stability(StabilityQuestion("r2_cca", "pursuhint", 3))
    app = open_page("hint_points")
    assert [one["chosen"] for one in drawn(app)["facts"]] == list(found.frequency.values())
    send(app, "clusters", 5)
    assert {one["chosen"] for one in drawn(app)["facts"]} == {None}


def test_the_cut_that_was_dragged_sets_k(open_page, teacher):
    app = open_page("hint_points")
    send(app, "clusters", 5)
    assert widget(app.number_input, "Clusters K").value == 5 == len(hint_points(app))
    send(app, "clusters", 99)
    assert "K must lie between 1 and 27" in app.error[0].value
    assert app.session_state[MINE].choice.clusters == 5


def test_k_of_a_preset_that_follows_from_the_layers_cannot_be_dragged(open_page, teacher):
    app = open_page("hint_points")
    widget(app.selectbox, "Method").set_value("stage_ends").run()
    assert drawn(app)["fixed"] and drawn(app)["cut"] is None


def test_a_layer_is_toggled_moved_and_noted(open_page, teacher, monkeypatch):
    monkeypatch.setenv("USER", "ada")
    app, (first, *others) = open_page("hint_points"), choose_hints(teacher).hint_points
    send(app, "toggle", "layer1.0")
    assert hint_points(app) == ("layer1.0", first, *others)
    send(app, "note", {"layer": "layer1.0", "why": "early edges"})
    assert drawn(app)["notes"] == {"layer1.0": "early edges"}
    send(app, "move", {"from": first, "to": "layer1.4"})
    assert hint_points(app) == ("layer1.0", "layer1.4", *others)
    plan = app.session_state[MINE].edited[Choice()]
    assert [(o.action, o.layer, o.who, o.why) for o in plan.overrides] == [
        ("add", "layer1.0", "ada", "early edges"),
        ("add", "layer1.4", "ada", ""),
        ("remove", first, "ada", ""),
    ]


@pytest.mark.parametrize(
    ("event", "value", "said"),
    [
        ("toggle", "layer9", "unknown layer `layer9`"),
        ("toggle", None, "unknown layer `None`"),
        ("move", {"from": "layer1.0", "to": "layer1.4"}, "`layer1.0` is not a hint point; nothing to remove"),
    ],
)
def test_what_cannot_be_is_said_once(open_page, teacher, event, value, said):
    app = open_page("hint_points")
    send(app, event, value)
    assert said in app.error[0].value and app.session_state[MINE].edited == {}
    assert not app.run().error


def test_a_reason_for_what_was_undone_meanwhile_is_dropped(open_page, teacher):
    app = open_page("hint_points")
    send(app, "note", {"layer": "layer1.0", "why": "no"})
    assert not app.error and app.session_state[MINE].edited == {}


def test_a_look_stays_on_other_pages_and_changes_no_plan(open_page, teacher):
    app = open_page("hint_points")
    send(app, "selected", "layer2.5")
    send(app, "order", "depth")
    send(app, "map", "pca")
    mds = drawn(open_page("hint_points"))["positions"]
    app.switch_page("../pages/runs.py").run()
    app.switch_page("../pages/hint_points.py").run()
    assert drawn(app)["look"] == {"order": "depth", "map": "pca", "selected": "layer2.5"}
    assert drawn(app)["positions"] != mds
    assert "**Images at layer2.5**" in texts(app)
    assert app.session_state[MINE].edited == {} and not app.session_state[MINE].past


def test_undo_and_redo_walk_through_choices_and_plans(open_page, teacher):
    app, automatic = open_page("hint_points"), choose_hints(teacher).hint_points
    assert widget(app.button, "Undo").disabled and widget(app.button, "Redo").disabled
    send(app, "toggle", "layer1.0")
    changed = hint_points(app)
    send(app, "clusters", 5)
    five = hint_points(app)
    widget(app.button, "Undo").click().run()
    assert hint_points(app) == changed
    widget(app.button, "Undo").click().run()
    assert hint_points(app) == automatic and widget(app.button, "Undo").disabled
    widget(app.button, "Redo").click().run()
    widget(app.button, "Redo").click().run()
    assert hint_points(app) == five and widget(app.button, "Redo").disabled
    widget(app.button, "Undo").click().run()
    widget(app.button, "Back to automatic").click().run()
    assert hint_points(app) == automatic and widget(app.button, "Redo").disabled
    widget(app.button, "Undo").click().run()
    assert hint_points(app) == changed


def test_a_plan_beside_the_others_is_taken_over(open_page, teacher):
    app, automatic = open_page("hint_points"), choose_hints(teacher)
    rows = beside_presets(teacher, automatic)
    names = [row.name for row in rows]
    ends = rows[names.index("Stage ends")]

    def take(name: str) -> None:
        click = {CLICKED: ButtonColumnClickState({"row": names.index(name), "label": "Use it"})}
        call(app, taken, click, rows)

    take("Stage ends")
    assert hint_points(app) == ends.hint_points
    table = next(one.value for one in app.dataframe if "plan" in one.value).set_index("plan")
    assert list(table)[:2] == ["coverage", "take"]  # all that a phone has room for
    assert table["take"].dropna().index.tolist() == ["Best possible", "Uniform", "Automatic"]
    assert "Stage ends" in {o.why for o in app.session_state[MINE].edited[Choice()].overrides}
    take("Random, on average")
    assert hint_points(app) == ends.hint_points
    take("Automatic")
    assert hint_points(app) == automatic.hint_points and app.session_state[MINE].edited == {}


def test_an_opened_plan_says_so(open_page, teacher):
    app = open_page("hint_points")
    plan = choose_hints(teacher, clusters=4).toggled("layer1.0")
    app.file_uploader[0].upload("mine.json", plan.model_dump_json().encode())
    app.run()
    assert hint_points(app) == plan.hint_points
    assert "Opened **mine.json**" in app.toast[0].value
    assert "by hand: + layer1.0" in texts(app)


def test_the_script_is_small_and_sends_what_is_heard():
    script = text_of(*PARTS)
    assert len([line for line in script.splitlines() if line]) < 550
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script  # names go in as text only
    for event in EVENTS:
        assert f'"{event}"' in script + text_of("explorer/explorer.html")


def test_what_was_told_before_the_server_heard_of_it_is_all_done_once(open_page, teacher):
    """The browser sends it again until it is answered: a trigger that was not read yet is overwritten."""
    app = open_page("hint_points")
    tell(app, KEY, EVENTS, ("selected", "layer2.5"), ("toggle", "layer2.5"), ("selected", "layer2.6"))
    assert "layer2.5" in hint_points(app)
    data = drawn(app)
    assert (data["look"]["selected"], data["heard"]) == ("layer2.6", 3)
    call(app, callbacks(KEY, EVENTS)["on_told_change"], {KEY: {"told": [(2, "toggle", "layer2.5")]}})
    assert "layer2.5" in hint_points(app)  # it would have been taken away again


def test_an_event_that_is_refused_keeps_no_other_from_being_done(open_page, teacher):
    app = open_page("hint_points")
    tell(app, KEY, EVENTS, ("toggle", "layer9.9"), ("toggle", "layer2.5"))
    assert "layer9.9" in app.error[0].value and "layer2.5" in hint_points(app)
