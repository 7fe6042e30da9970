from __future__ import annotations

import math

import pytest

from pursuhint.training.schedule import learning_rate
from pursuhint.training.settings import RunSettings, make_settings


def settings(**fields) -> RunSettings:
    given = {"epochs": 240, "learning_rate": 0.05, "warmup": 0} | fields
    return make_settings(kind="train", student="s", data="digits", preprocess="digits", **given)


def test_step_is_the_papers_schedule():
    """x 0.1 at 150, 180 and 210 of 240 epochs."""
    given = settings(schedule="step")
    places = {0: 0.05, 149.9: 0.05, 150: 5e-3, 179.9: 5e-3, 180: 5e-4, 210: 5e-5, 240: 5e-5}
    assert {e: learning_rate(given, e) for e in places} == pytest.approx(places)


def test_cosine_falls_from_the_rate_to_nothing():
    given = settings(schedule="cosine")
    for epoch in (0, 30, 60, 120, 200, 240):
        assert learning_rate(given, epoch) == pytest.approx(0.025 * (1 + math.cos(math.pi * epoch / 240)))
    assert learning_rate(given, 120) == pytest.approx(0.025)
    assert learning_rate(given, 240) == pytest.approx(0, abs=1e-12)


def test_constant_stays():
    assert {learning_rate(settings(schedule="constant"), e) for e in (0, 100, 240)} == {0.05}


@pytest.mark.parametrize("schedule", ["cosine", "step", "constant"])
def test_the_warm_up_rises_in_a_line(schedule: str):
    given = settings(schedule=schedule, warmup=4)
    assert [learning_rate(given, e) for e in (1, 2, 3)] == pytest.approx([0.0125, 0.025, 0.0375])
    assert 0 < learning_rate(given, 0) < 1e-4
    assert learning_rate(given, 4) == pytest.approx(learning_rate(settings(schedule=schedule), 4))
