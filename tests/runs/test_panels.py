from __future__ import annotations

import json

import numpy as np
import pytest

from pursuhint.runs import History
from pursuhint.runs.panels import KINDS, Mark, Shown, curves, term_values
from pursuhint.runs.thinning import MOST


def shown(run, name: str = "mine", colour: str = "#112233") -> Shown:
    return Shown(run.id, name, colour, run.history())


def panels(*runs: Shown, **more) -> dict[str, dict]:
    content = curves(runs, epochs=3, **more)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    return {panel["id"]: panel for panel in content["panels"]}


def test_a_run_alone_shows_its_terms_together_and_each_hint_point(write_run):
    found = panels(shown(write_run()), marks=[Mark(99.6, "teacher")], weights="γ = 1")
    assert list(found) == ["accuracy", "terms", "hint-0", "hint-1", "rate", "speed", "cross-entropy"]
    assert found["accuracy"]["lines"][0]["y"] == [52, 54, 56] and found["accuracy"]["lines"][0]["x"] == [
        1,
        2,
        3,
    ]
    assert found["accuracy"]["marks"] == [{"value": 99.6, "name": "teacher"}]
    assert [line["name"] for line in found["terms"]["lines"]] == ["total", "γ·L_cls", "β·L_hint"]
    assert (found["hint-0"]["badge"], found["hint-0"]["title"]) == ("HP1", "a → b")
    assert found["hint-1"]["lines"][0]["y"] == [3.0] * 6
    assert found["terms"]["aside"] == "γ = 1"


def test_terms_as_they_are_weighted_and_as_shares(write_run):
    steps = write_run().history().steps
    raw, weighted, share = (term_values(steps, kind) for kind in KINDS[1::-1] + KINDS[2:])
    numbers = np.arange(1, 7)
    np.testing.assert_allclose(weighted["hint"], 0.5 / numbers)
    np.testing.assert_allclose(raw["hint"], 1.0 / numbers + 3.0)  # both points
    np.testing.assert_allclose(share["cls"], 80.0)
    np.testing.assert_allclose(sum(share.values()), 100.0)
    np.testing.assert_allclose(sum(weighted.values()), steps.column("total"))
    assert panels(shown(write_run()), kind="share")["terms"]["unit"] == "%"


def test_a_total_of_zero_has_no_shares():
    history = History()
    history.extend([{"kind": "step", "step": 1, "epoch": 1.0, "total": 0.0, "weighted": {"cls": 0.0}}])
    assert np.isnan(term_values(history.steps, "share")["cls"]).all()


def test_several_runs_have_a_panel_a_term_and_a_colour_a_run(write_run):
    runs = [shown(write_run(), "one", "#111111"), shown(write_run(epochs=2), "two", "#222222")]
    found = panels(*runs)
    assert list(found)[:4] == ["accuracy", "total", "term-cls", "term-hint"]
    for panel in found.values():
        assert [(line["name"], line["colour"]) for line in panel["lines"]] == [
            ("one", "#111111"),
            ("two", "#222222"),
        ]


@pytest.mark.parametrize(
    ("live", "words"), [(True, "waiting for the first step"), (False, "no step was made")]
)
def test_a_run_without_a_step_says_so(live: bool, words: str):
    found = panels(Shown("a", "a", "#000000", History()), live=live)
    assert (found["terms"]["empty"], found["terms"]["lines"]) == (words, [])
    assert not any(name.startswith("hint") for name in found)


def test_two_hint_losses_at_one_point_share_its_panel():
    history = History()
    raw = {"cls": 1.0, "hint:at/a->b": 2.0, "hint:crd/a->b": 3.0}
    history.extend([{"kind": "step", "step": 1, "epoch": 0.5, "total": 6.0, "raw": raw, "weighted": {}}])
    found = panels(Shown("a", "a", "#000000", history))
    assert [line["name"] for line in found["hint-0"]["lines"]] == ["at", "crd"] and "hint-1" not in found


def test_a_long_run_is_thinned_and_finer_where_it_is_looked_at():
    history = History()
    history.extend(
        [
            {
                "kind": "step",
                "step": n,
                "epoch": n / 1000,
                "total": np.sin(n).item(),
                "weighted": {},
                "raw": {},
            }
            for n in range(1, 20_001)
        ]
    )
    run = Shown("a", "a", "#000000", history)

    def line(view):
        return panels(run, view=view)["terms"]["lines"][0]

    whole, near = line(None), line((4.0, 4.2))
    assert len(whole["x"]) <= MOST and whole["all"] == 20_000
    assert sum(4.0 <= x <= 4.2 for x in whole["x"]) < 20
    assert sum(4.0 <= x <= 4.2 for x in near["x"]) == 201
