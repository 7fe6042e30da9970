"""The drawing of the pairs between the two networks."""

from __future__ import annotations

import pytest

from app.bridge.bridge import EVENTS, KEY, content
from app.state import KEY as STATE
from pursuhint.adapters import describe_adapters
from pursuhint.clustering import Clustering
from pursuhint.hints import choose_hints
from pursuhint.pairs import Pair
from pursuhint.students import describe_student
from pursuhint.view import layer_view
from tests.app.conftest import tell, texts

STUDENT = "zoo:resnet8"
SHAPE = (3, 8, 8)


@pytest.fixture
def student(monkeypatch):
    monkeypatch.setattr("app.cached.ask_student", describe_student)
    return describe_student(STUDENT, 10, SHAPE)


def test_it_shows_where_and_how_each_pair_meets(teacher, student):
    plan = choose_hints(teacher)
    grouped = Clustering(plan.method, plan.layers, plan.clusters, plan.centres, False, plan.silhouette)
    view = layer_view(teacher.similarity(plan.metric), grouped, plan.hint_points, described=teacher.layers)
    pairs = [Pair(hint, "layer3.0") for hint in plan.hint_points]
    sides = [{layer.name: layer.shape for layer in one.layers} for one in (student, teacher)]
    adapters = describe_adapters(pairs, *sides, "fitnet")
    drawn = content(teacher, view, student, pairs, adapters)
    assert [one["hint"] for one in drawn["meetings"]] == list(plan.hint_points)
    assert [one["parameters"] for one in drawn["meetings"]] == [
        f"{a.parameters:,} parameters" for a in adapters
    ]
    assert drawn["meetings"][0]["hint_shape"] == "16 × 8 × 8"
    assert [drawn["layers"][hint] for hint, _ in drawn["student"]["pairs"]] == list(plan.hint_points)
    assert {drawn["student"]["layers"][mate] for _, mate in drawn["student"]["pairs"]} == {"layer3.0"}
    unmet = content(teacher, view, student, pairs, None)["meetings"]
    assert {one["adapter"] for one in unmet} == {"cannot meet"} and not any(one["fits"] for one in unmet)


def test_a_layer_that_is_clicked_takes_the_place_of_the_guided_one(open_page, teacher, student):
    plan = choose_hints(teacher)
    first = plan.hint_points[0]
    app = open_page("distill")
    app.session_state[STATE].cook(student=STUDENT)
    app.run()
    assert f"--pair {first}=" in texts(app)
    tell(app, KEY, EVENTS, ("guide", {"hint": first, "guided": "layer3.0"}))
    app.run()
    assert app.session_state[STATE].guided == {first: "layer3.0"}
    assert any(one.label == "Let pairs cross" for one in app.checkbox)
