"""The trainings that ship with the lesson, and what is worked out from them."""

from __future__ import annotations

import json

import pytest
from scipy import stats

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.errors import InputError
from pursuhint.hints import choose_hints
from pursuhint.lesson import gain_limits, gains, load_trainings
from pursuhint.lesson.trainings import TRAININGS


@pytest.fixture(scope="module")
def trainings():
    return load_trainings()


def test_the_interval_is_that_of_a_paired_t_test(trainings):
    of = {
        arm: [place.accuracy for place in trainings.places if place.arm == arm] for arm in ("kd", "uniform")
    }
    known = stats.ttest_rel(of["uniform"], of["kd"]).confidence_interval(0.95)
    gain = next(one for one in gains(trainings, seeds=trainings.seeds) if one.arm == "uniform")
    assert gain.interval == pytest.approx(tuple(known))
    assert gain.clear == (known.low > 0 or known.high < 0)


def test_a_single_seed_has_no_interval_and_is_never_clear(trainings):
    for gain in gains(trainings, seeds=1):
        assert gain.interval is None and not gain.clear
        assert gain.mean == gain.each[0]


def test_swapping_reference_and_arm_turns_the_gain_around(trainings):
    forth = next(one for one in gains(trainings, seeds=3) if one.arm == "labels")
    back = next(one for one in gains(trainings, seeds=3, reference="labels") if one.arm == "kd")
    assert back.mean == pytest.approx(-forth.mean)
    assert back.interval == pytest.approx((-forth.interval[1], -forth.interval[0]))


def test_the_limits_hold_every_training(trainings):
    found = gains(trainings, seeds=trainings.seeds)
    low, high = gain_limits(found)
    assert all(low <= value <= high for gain in found for value in gain.each)
    assert low <= 0 <= high


def test_every_arm_has_every_seed_and_the_hint_points_it_names(trainings):
    analysis = AnalysisFolder(BUILTIN_ANALYSIS)
    arms = {place.arm for place in trainings.places}
    assert len(trainings.places) == len(arms) * trainings.seeds
    for place in trainings.places:
        assert len(place.hint_points) == (0 if place.arm in ("labels", "kd") else 3)
        if place.arm in ("stage_ends", "uniform", "random"):
            assert place.hint_points == choose_hints(analysis, method=place.arm, seed=place.seed).hint_points


def test_every_strength_was_followed_to_the_last_epoch(trainings):
    assert trainings.share in trainings.shares
    for strength in trainings.strengths:
        assert set(strength.curves) == {"cls", "logit", "hint"}
        assert {len(values) for values in strength.curves.values()} == {trainings.epochs}
    at_most = max(one.curves["hint"][-1] for one in trainings.of_share(8.0))
    assert 0 < trainings.last(8.0, "hint") <= at_most


@pytest.mark.parametrize("seeds", [0, 99])
def test_more_seeds_than_there_are(trainings, seeds):
    with pytest.raises(InputError, match=f"`seeds` must lie between 1 and .* found {seeds}"):
        gains(trainings, seeds=seeds)


def test_an_arm_that_was_not_trained(trainings):
    with pytest.raises(InputError, match="unknown arm `kb`: did you mean `kd`?"):
        gains(trainings, seeds=1, reference="kb")


def test_a_strength_that_was_not_trained(trainings):
    with pytest.raises(InputError, match="no training has the share 3: choose one of 0.01"):
        trainings.accuracy(3.0)


def test_a_file_of_another_kind_is_named(tmp_path):
    content = json.loads(TRAININGS.read_text(encoding="utf-8"))
    path = tmp_path / "trainings.json"
    path.write_text(json.dumps(content | {"epochs": "many"}), encoding="utf-8")
    with pytest.raises(InputError, match="must hold the lesson's trainings: `epochs`.*make it anew"):
        load_trainings(path)
