"""Hint points: how often each layer is chosen among resamples, and what the plan covers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.choices import Choice
from app.state import KEY
from pursuhint.comparison import beside_presets
from pursuhint.hints import choose_hints
from pursuhint.stability import StabilityQuestion
from tests.app.conftest import texts, widget

DEFAULT = StabilityQuestion("r2_cca", "pursuhint", 3)


def bars(app) -> dict[str, float] | None:
    """Return the chart of how often each layer is chosen, if it is drawn."""
    for chart in app.get("plotly_chart"):
        (trace, *_) = json.loads(chart.proto.spec)["data"]
        if "chosen in" in (trace.get("hovertemplate") or ""):
            return {name: share for (_, name), share in zip(trace["customdata"], trace["y"], strict=True)}
    return None


def test_a_first_visitor_sees_the_built_in_teachers_without_asking(open_page, teacher):
    found = teacher.kept_stability(DEFAULT)
    assert bars(open_page("hint_points")) == {name: found.frequency[name] for name in found.layers}


def test_the_interval_says_of_which_hint_points_it_is(open_page, teacher):
    app = open_page("hint_points")
    assert "the coverage of layer1.1, layer2.2, layer3.2 would lie" in texts(app)
    app.session_state[KEY].edit(choose_hints(teacher).with_override("add", "layer1.5"))
    assert "the coverage of the automatic layer1.1, layer2.2, layer3.2 would lie" in texts(app.run())


def test_resampling_waits_to_be_asked_for_and_is_kept(open_page, teacher):
    question = replace(DEFAULT, clusters=4)
    app = open_page("hint_points")
    widget(app.number_input, "Clusters K").set_value(4).run()
    assert bars(app) is None and teacher.kept_stability(question) is None
    widget(app.button, "Resample").click().run()
    assert not app.exception and not app.error
    found = teacher.kept_stability(question)
    assert bars(app) == {name: found.frequency[name] for name in found.layers}
    assert f"by {found.agreement:.2f}" in texts(app)
    again = open_page("hint_points")
    widget(again.number_input, "Clusters K").set_value(4).run()
    assert bars(again) == bars(app)
    assert "Resample" not in [one.label for one in again.button]


def test_coverage_stands_beside_what_it_has_to_beat(open_page, teacher):
    app = open_page("hint_points")
    table = next(one.value for one in app.dataframe if "coverage" in one.value)
    expected = {row.name: row.value for row in beside_presets(teacher, choose_hints(teacher))}
    assert dict(zip(table["plan"], table["coverage"], strict=True)) == expected
    assert table["plan"].tolist()[0] == "Best possible"
    assert {"Automatic", "Stage ends", "Uniform", "Random, on average"} < set(table["plan"])


def test_coverage_has_an_interval_once_it_was_measured(open_page, teacher):
    def column(app) -> list[float] | None:
        table = next(one.value for one in app.dataframe if "coverage" in one.value)
        return table.set_index("plan")["±"].to_dict() if "±" in table else None

    app = open_page("hint_points")
    low, high = teacher.kept_stability(DEFAULT).coverage.interval
    assert column(app)["Automatic"] == pytest.approx((high - low) / 2)
    widget(app.selectbox, "Metric").set_value("cka_linear").run()
    assert column(app) is None and teacher.kept_left_out("cka_linear") is None
    widget(app.button, "Measure ±").click().run()
    assert not app.error and column(app)["Automatic"] > 0
    assert teacher.kept_left_out("cka_linear") is not None
    assert "Measure ±" not in [one.label for one in app.button]


def test_a_preset_can_be_chosen_and_its_number_follows(open_page, teacher):
    app = open_page("hint_points")
    widget(app.selectbox, "Method").set_value("stage_ends").run()
    assert not app.exception
    assert widget(app.number_input, "Clusters K").disabled
    assert app.session_state[KEY].choice == Choice("r2_cca", "stage_ends", 3)
    assert "layer1.8" in texts(app) and "layer2.8" in texts(app)
    widget(app.button, "Resample").click().run()
    assert bars(app) is None and "do not depend on the images" in texts(app)


def test_a_plan_made_by_hand_counts_as_a_change(open_page, teacher):
    from app import state

    mine = state.AppState()
    mine.adopt(choose_hints(teacher, method="manual", hint_points=("layer1.0", "layer3.0")))
    assert mine.choice == Choice("r2_cca", "pursuhint", 2)
    assert mine.edited[mine.choice].hint_points == ("layer1.0", "layer3.0")
