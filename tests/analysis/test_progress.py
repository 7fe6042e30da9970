"""How far an analysis is, from journals written by hand."""

from __future__ import annotations

import pytest

from pursuhint.analysis.progress import STAGES, analysis_progress, usual_seconds


def state(time: float, name: str = "running") -> dict:
    return {"kind": "state", "state": name, "time": time}


def stage(time: float, name: str) -> dict:
    return {"kind": "stage", "stage": name, "time": time}


def told(time: float, done: int, total: int) -> dict:
    return {"kind": "progress", "stage": "any words", "done": done, "total": total, "time": time}


START = [state(0, "queued"), state(1), stage(2, "images"), stage(3, "teacher"), stage(5, "layers")]


def test_a_job_that_was_just_asked_for_is_at_its_first_stage():
    found = analysis_progress([state(0, "queued")], now=0.5)
    assert [one.standing for one in found.stages] == ["current"] + ["to come"] * (len(STAGES) - 1)
    assert (found.seconds_left, found.time_left) == (None, "time left not known yet")


def test_stages_that_are_done_say_how_long_they_took():
    found = analysis_progress(START, now=6)
    assert [one.standing for one in found.stages[:4]] == ["done", "done", "done", "current"]
    assert [one.seconds for one in found.stages[:3]] == [2, 1, 2]


def test_the_time_left_follows_the_measured_rate_and_falls_between_reports():
    events = [*START, told(5, 0, 1000), told(7, 200, 1000), told(9, 400, 1000)]  # 100 images a second
    usual = {"students": 4.0}
    found = analysis_progress(events, now=9, usual=usual)
    current = found.stages[3]
    assert (current.done, current.total, found.share) == (400, 1000, 0.4)
    # 600 images, the students, and 1,000 test images at the same rate
    assert found.seconds_left == pytest.approx(6 + 4 + 10) and found.time_left == "about 20 seconds left"
    assert analysis_progress(events, now=12, usual=usual).seconds_left == pytest.approx(17)


def test_what_cannot_be_foreseen_is_said():
    events = [*START, told(5, 0, 1000), told(7, 200, 1000)]
    found = analysis_progress(events, now=7)
    assert not found.foreseen and found.time_left == "at least 20 seconds left"


def test_a_stage_that_was_seen_before_takes_as_long_as_it_did():
    found = analysis_progress(
        [state(0), stage(1, "images"), stage(2, "teacher")], now=3, usual={"teacher": 4.0}
    )
    assert found.seconds_left == pytest.approx(3)


def test_only_the_last_start_counts():
    first = [*START, told(5, 0, 10), told(6, 10, 10), state(7, "stopped")]
    found = analysis_progress([*first, state(100, "queued"), state(101), stage(103, "images")], now=104)
    assert [one.standing for one in found.stages[:3]] == ["done", "current", "to come"]
    assert found.stages[0].seconds == 3


def test_earlier_analyses_tell_what_does_not_depend_on_the_images():
    later = [state(0), stage(2, "images"), stage(3, "teacher"), stage(6, "layers"), stage(30, "students")]
    assert usual_seconds([later, START]) == {"start": 2, "images": 1, "teacher": 3}
