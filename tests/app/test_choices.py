"""Similarity and Hint points: what a widget changes, and what a click in a figure or the table does."""

from __future__ import annotations

import json

import numpy as np
import pytest
from streamlit.typing import PlotlyState

from app.choices import Choice
from app.overrides import who
from app.state import KEY
from pursuhint.allowed import VARIABLE
from pursuhint.clustering import METHODS, PRESETS
from pursuhint.errors import InputError
from pursuhint.hints import choose_hints
from pursuhint.similarity import METRICS
from tests.app.conftest import call, drawn, hint_points, texts, widget

AUTOMATIC = ("layer1.1", "layer2.2", "layer3.2")


@pytest.mark.parametrize("page", ["similarity", "hint_points"])
def test_the_metric_is_one_choice_for_both_pages(open_page, teacher, page):
    app = open_page(page)
    widget(app.selectbox, "Metric").set_value("cka_linear").run()
    assert not app.exception and app.session_state[KEY].choice.metric == "cka_linear"
    for other in ("hint_points", "similarity"):
        app.switch_page(f"../pages/{other}.py").run()
        assert widget(app.selectbox, "Metric").value == "cka_linear"


def test_the_lists_show_titles_and_below_them_what_the_chosen_one_does(open_page, teacher):
    app = open_page("hint_points")
    presets = {name: preset for name, preset in PRESETS.items() if name != "manual"}
    for label, known in (("Metric", METRICS), ("Method", METHODS | presets)):
        shown = widget(app.selectbox, label)
        assert shown.options == [one.title for one in known.values()]
        assert known[shown.value].note in [one.value for one in app.caption]
        other = list(known)[-1]
        shown.set_value(other).run()
        assert known[other].note in [one.value for one in app.caption]


def test_the_matrix_is_drawn_and_noted_layer_by_layer(open_page, teacher):
    app = open_page("similarity")
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert figure["data"][0]["type"] == "heatmap"
    notes = next(one.value for one in app.dataframe if "status" in one.value)
    assert len(notes) == len(teacher.layers) and notes["width"].tolist()[0] == 16
    offered = {one.key: one.label for one in app.get("download_button")}
    assert {"HTML", "CSV", "NPZ"} == {label for key, label in offered.items() if key.endswith("-heatmap")}


def test_too_few_images_leave_the_choice_of_the_metric(open_page, teacher, monkeypatch):
    def refuse(self, metric, **_):
        raise InputError("`r2_cca` needs at least 129 images; found 60")

    monkeypatch.setattr("pursuhint.analysis.AnalysisFolder.similarity", refuse)
    app = open_page("similarity")
    assert not app.exception and "needs at least 129 images" in app.error[0].value
    assert widget(app.selectbox, "Metric").value == "r2_cca"


def test_undo_leads_out_of_a_choice_that_cannot_be_drawn(open_page, teacher):
    app = open_page("hint_points")
    app.session_state[KEY].choose(samples=2)
    assert not app.run().exception and app.error
    widget(app.button, "Undo").click().run()
    assert not app.error and hint_points(app) == choose_hints(teacher).hint_points


def test_part_of_the_probe_images_can_be_compared(open_page, teacher):
    app = open_page("similarity")
    widget(app.segmented_control, "Probe images").set_value(500).run()
    assert not app.exception and app.session_state[KEY].choice.samples == 500
    assert "500 images" in texts(app)
    app.switch_page("../pages/hint_points.py").run()
    assert hint_points(app) == choose_hints(teacher, samples=500).hint_points


def test_automatic_hint_points(open_page, teacher):
    app = open_page("hint_points")
    assert hint_points(app) == choose_hints(teacher).hint_points
    assert widget(app.button, "Back to automatic").disabled


def test_method_and_number_of_clusters(open_page, teacher):
    app = open_page("hint_points")
    widget(app.selectbox, "Method").set_value("kmedoids").run()
    widget(app.number_input, "Clusters K").set_value(5).run()
    assert app.session_state[KEY].choice == Choice("r2_cca", "kmedoids", 5)
    assert hint_points(app) == choose_hints(teacher, method="kmedoids", clusters=5).hint_points


@pytest.mark.parametrize("wrong", [0, -2, 28, 999])
def test_a_number_of_clusters_that_cannot_be_says_so_and_the_former_stays(open_page, teacher, wrong):
    app = open_page("hint_points")
    widget(app.number_input, "Clusters K").set_value(wrong).run()
    expected = f"K must lie between 1 and 27, the layers there are to group; found {wrong}"
    assert [one.value for one in app.error] == [expected]
    assert app.session_state[KEY].choice == Choice()
    assert widget(app.number_input, "Clusters K").value == 3
    assert not app.run().error


def test_a_click_on_a_bar_takes_that_number(open_page, teacher):
    from app.controls import BARS, _bar_clicked

    app = open_page("hint_points")
    call(app, _bar_clicked, {BARS: PlotlyState({"selection": {"points": [{"customdata": [4]}]}})})
    assert widget(app.number_input, "Clusters K").value == 4 == len(hint_points(app))


@pytest.mark.parametrize(
    ("people", "gate", "known"), [("", False, "server"), ("@lab.org", False, "ada@lab.org"), ("", True, "")]
)
def test_a_change_is_signed_by_who_signed_in(monkeypatch, people, gate, known):
    monkeypatch.setenv("USER", "server")
    monkeypatch.setenv("PURSUHINT_USERS", people)
    monkeypatch.setattr("app.overrides.Gate.standing", gate)
    monkeypatch.setattr("streamlit.user", {"email": "ada@lab.org"})
    assert who() == known


def test_clicks_add_and_remove_a_hint_point(open_page, teacher, monkeypatch):
    from app.overrides import clicked

    monkeypatch.setenv("USER", "ada")
    app, automatic = open_page("hint_points"), choose_hints(teacher).hint_points
    click = {"leaf": PlotlyState({"selection": {"points": [{"customdata": [0, "layer1.0"]}]}})}
    call(app, clicked, click, "leaf")
    assert hint_points(app) == ("layer1.0", *automatic)
    assert "+ layer1.0" in texts(app)
    plan = app.session_state[KEY].edited[Choice()]
    assert [(o.action, o.layer, o.who) for o in plan.overrides] == [("add", "layer1.0", "ada")]
    call(app, clicked, click, "leaf")
    assert hint_points(app) == automatic
    widget(app.button, "Back to automatic").click().run()
    assert app.session_state[KEY].edited == {}


def test_the_table_adds_removes_and_takes_reasons(open_page, teacher):
    from app.overrides import edited

    app, automatic = open_page("hint_points"), choose_hints(teacher)
    ticks = {"0": {"hint": True, "why": "early edges"}}
    call(app, edited, {"table": {"edited_rows": ticks}}, "table", automatic)
    assert hint_points(app) == ("layer1.0", *automatic.hint_points)
    assert app.session_state[KEY].edited[Choice()].overrides[0].why == "early edges"
    call(app, edited, {"table": {"edited_rows": {"3": {"why": "no"}}}}, "table", automatic)
    assert "`layer1.3` is as the clusters chose it" in app.error[0].value
    assert not app.run().error  # said once


def test_a_row_of_the_table_that_is_refused_keeps_no_other_back(open_page, teacher):
    from app.overrides import edited

    app, plan = open_page("hint_points"), choose_hints(teacher, clusters=1)
    widget(app.number_input, "Clusters K").set_value(1).run()
    (only,) = hint_points(app)
    row, before = str(plan.layers.index(only)), app.session_state[KEY].revision
    call(app, edited, {"table": {"edited_rows": {row: {"hint": False}}}}, "table", plan)
    assert "is the last hint point" in app.error[0].value
    assert app.session_state[KEY].revision > before  # a table without the edit that was refused
    swap = {row: {"hint": False}, "20": {"hint": True}}
    call(app, edited, {"table": {"edited_rows": swap}}, "table", plan)
    assert hint_points(app) == (plan.layers[20],) and not app.error
    mixed = {"0": {"why": "no"}, "1": {"why": "nor this"}, "2": {"hint": True}, "20": {"hint": True}}
    call(app, edited, {"table": {"edited_rows": mixed}}, "table", plan)
    assert hint_points(app) == (plan.layers[2], plan.layers[20])
    assert all(f"`{plan.layers[row]}` is as the clusters chose it" in app.error[0].value for row in (0, 1))


def test_changes_that_wait_under_another_choice_are_one_click_away(open_page, teacher):
    app = open_page("hint_points")
    state = app.session_state[KEY]
    state.edit(choose_hints(teacher).with_override("add", "layer1.5"))
    app.run()
    assert "Your changes wait" not in " ".join(one.label for one in app.button)
    widget(app.number_input, "Clusters K").set_value(4).run()
    assert "layer1.5" not in hint_points(app)
    widget(app.button, "Your changes wait under R²-CCA, PURSUhInT, K = 3").click().run()
    assert "layer1.5" in hint_points(app) and state.choice == Choice()


def test_the_last_hint_point_stays(open_page, teacher):
    from app.overrides import clicked

    app = open_page("hint_points")
    widget(app.number_input, "Clusters K").set_value(1).run()
    (only,) = hint_points(app)
    click = {"leaf": PlotlyState({"selection": {"points": [{"customdata": [0, only]}]}})}
    call(app, clicked, click, "leaf")
    assert hint_points(app) == (only,)
    assert "is the last hint point" in app.error[0].value


def test_a_plan_can_be_opened_and_is_refused_for_another_teacher(open_page, teacher, monkeypatch):
    plan = choose_hints(teacher, metric="cka_linear", clusters=4).toggled("layer1.0")
    app = open_page("hint_points")
    app.file_uploader[0].upload("plan.json", plan.model_dump_json().encode())
    app.run()
    assert hint_points(app) == plan.hint_points
    assert [one.value for one in app.toast] == [
        "Opened **plan.json**: 5 hint points; Undo brings the former plan back"
    ]
    few = {"sample_ids": plan.sample_ids[:2], "metric": "r2_cca"}
    for change, said in ((few, "images"), ({"method": "nonsense"}, "unknown method `nonsense`")):
        app.file_uploader[0].upload("odd.json", plan.model_copy(update=change).model_dump_json().encode())
        app.run()
        assert not app.exception and said in app.error[0].value and not app.toast
        assert hint_points(app) == plan.hint_points
    other = plan.model_copy(update={"teacher": plan.teacher.model_copy(update={"hash": "f" * 16})})
    app.file_uploader[0].upload("other.json", other.model_dump_json().encode())
    app.run()
    assert not app.exception and "made for another teacher" in app.error[0].value and not app.toast
    app.file_uploader[0].upload("cut.json", b'{"version": 1,')
    app.run()
    assert "`cut.json` must be JSON" in app.error[0].value
    assert hint_points(app) == plan.hint_points
    monkeypatch.setenv(VARIABLE, str(teacher.path))
    for change in (
        {"data": "folder:/etc"},
        {"teacher": plan.teacher.model_copy(update={"weights": "/etc/w"})},
    ):
        elsewhere = plan.model_copy(update=change).model_dump_json().encode()
        app.file_uploader[0].upload("elsewhere.json", elsewhere)
        app.run()
        assert not app.exception and "lies outside of the folders that may be read" in app.error[0].value


def test_layer_maps_are_made_on_demand_and_kept(open_page, teacher, monkeypatch):
    made = []

    def make(folder, metric, samples):
        made.append(samples)
        positions = folder.features("layer1.0")[: len(folder.layers), :2]
        folder.save_layer_map(folder.similarity(metric, samples=samples), positions)

    monkeypatch.setattr("app.maps.make_map_apart", make)
    for kept in teacher.path.glob("layer-maps/*"):
        kept.unlink()
    app = open_page("hint_points")
    assert not made
    app.session_state[KEY].show(map="umap")
    app.run()
    app.run()
    assert not app.exception and made == [None]
    app.session_state[KEY].choose(samples=500)
    app.run()
    assert not app.exception and made == [None, 500]
    kept = teacher.path / "layer-maps" / "r2_cca-500.npy"
    np.save(kept, np.load(kept)[1:])  # of layers that were analysed otherwise: it is made again
    assert not app.run().exception and made == [None, 500, 500]


def test_a_layer_map_that_fails_says_why_and_is_not_tried_again_unasked(open_page, teacher, monkeypatch):
    from pursuhint.errors import PursuhintError

    def fail(folder, metric, samples):
        tried.append(metric)
        raise PursuhintError(f"the map under `{metric}` took longer than 180 s; use fewer probe images")

    tried = []
    monkeypatch.setattr("app.maps.make_map_apart", fail)
    for kept in teacher.path.glob("layer-maps/*"):
        kept.unlink()
    app = open_page("hint_points")
    app.session_state[KEY].show(map="umap")
    app.run()
    assert not app.exception and "took longer than 180 s" in app.error[0].value
    assert drawn(app)["look"]["map"] == "mds"
    assert not app.run().error and tried == ["r2_cca"]


def test_the_images_beside_the_layers_are_those_at_the_last_hint_point(open_page, teacher):
    app, last = open_page("hint_points"), choose_hints(teacher).hint_points[-1]
    assert f"**Images at {last}**" in texts(app) and len(app.get("page_link")) > 0
    figures = len(app.get("plotly_chart"))
    for kept in teacher.path.glob("image-maps/*"):
        kept.unlink()
    app.run()
    assert not app.exception and len(app.get("plotly_chart")) == figures - 1


@pytest.mark.parametrize(
    ("method", "said"), [("random", "random, K = 3"), ("kmedoids", "by k-medoids, R²-CCA")]
)
def test_the_pages_say_where_the_hint_points_come_from(open_page, teacher, method, said):
    app = open_page("hint_points")
    widget(app.selectbox, "Method").set_value(method).run()
    assert said in texts(app)
    app.switch_page("../pages/distill.py").run()
    assert said in texts(app)
