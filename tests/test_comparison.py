from __future__ import annotations

import pytest

from pursuhint.comparison import beside_presets, compare_plans
from pursuhint.coverage import coverage
from pursuhint.errors import InputError
from pursuhint.hints import choose_hints


@pytest.fixture
def plans(tiny_analysis):
    return {
        "automatic": choose_hints(tiny_analysis, metric="cka_linear", clusters=3),
        "ends": choose_hints(tiny_analysis, metric="cka_linear", method="stage_ends"),
    }


def test_plans_are_measured_by_one_metric_on_the_same_images(tiny_analysis, plans):
    found = compare_plans(tiny_analysis, plans)
    values = tiny_analysis.similarity("cka_linear", keep=False)
    assert (found.metric, found.images) == ("cka_linear", 200)
    for one, plan in zip(found.plans, plans.values(), strict=True):
        hints = [values.layers.index(name) for name in plan.hint_points]
        assert one.hint_points == plan.hint_points
        assert one.coverage.value == pytest.approx(coverage(values.values, hints))
        low, high = one.coverage.interval
        assert low < one.coverage.value < high


def test_the_agreement_is_that_of_the_clusters(tiny_analysis, plans):
    from sklearn.metrics import adjusted_rand_score

    plans |= {"two": choose_hints(tiny_analysis, metric="cka_linear", clusters=2)}
    found = compare_plans(tiny_analysis, plans)
    labels = [[n for name in p.layers for n, c in enumerate(p.clusters) if name in c] for p in plans.values()]
    expected = [[adjusted_rand_score(first, second) for second in labels] for first in labels]
    assert [list(row) for row in found.agreement] == [pytest.approx(row) for row in expected]
    assert found.agreement[0][2] < 1.0


def test_another_metric_can_be_asked_for(tiny_analysis, plans):
    assert compare_plans(tiny_analysis, plans, metric="cka_rbf").metric == "cka_rbf"


def test_what_cannot_be_compared_is_refused(tiny_analysis, plans):
    with pytest.raises(InputError, match="nothing to compare: name at least one plan"):
        compare_plans(tiny_analysis, {})
    teacher = plans["ends"].teacher.model_copy(update={"hash": "other"})
    with pytest.raises(InputError, match="this plan was made for another teacher"):
        compare_plans(tiny_analysis, {"a": plans["ends"].model_copy(update={"teacher": teacher})})


def test_intervals_are_those_of_a_single_plan(tiny_analysis, plans):
    left_out = tiny_analysis.left_out("cka_linear", keep=False)
    rows = {row.name: row for row in beside_presets(tiny_analysis, plans["automatic"], left_out=left_out)}
    (one,) = compare_plans(tiny_analysis, {"ends": plans["ends"]}).plans
    low, high = one.coverage.interval
    assert rows["Stage ends"].half_width == pytest.approx((high - low) / 2)
    assert rows["Random, on average"].half_width is None
    assert {row.half_width for row in beside_presets(tiny_analysis, plans["automatic"])} == {None}


def test_the_best_the_automatic_plan_the_presets_and_chance(tiny_analysis, plans):
    rows = {row.name: row for row in beside_presets(tiny_analysis, plans["automatic"])}
    assert list(rows) == ["Best possible", "Automatic", "Stage ends", "Uniform", "Random, on average"]
    best = rows["Best possible"].value
    assert all(row.value <= best for row in rows.values())
    assert rows["Stage ends"].hint_points == plans["ends"].hint_points
    assert rows["Automatic"].hint_points == plans["automatic"].hint_points


def test_a_plan_changed_by_hand_stands_beside_the_automatic_one(tiny_analysis, plans):
    automatic = plans["automatic"]
    changed = automatic.toggled(next(name for name in automatic.layers if name not in automatic.centres))
    rows = {row.name: row for row in beside_presets(tiny_analysis, changed)}
    assert list(rows)[:3] == ["Best possible", "Mine", "Automatic"]
    assert rows["Mine"].hint_points == changed.hint_points
    assert rows["Automatic"].hint_points == changed.centres
    assert len(rows["Uniform"].hint_points) == len(rows["Best possible"].hint_points) == 4
    assert rows["Mine"].value > rows["Automatic"].value  # one hint point more
