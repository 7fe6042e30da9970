"""How weights change during a run: the function by hand, and what a run logs of it."""

from __future__ import annotations

import pytest

from pursuhint.training.weight_schedule import warmup_epochs, weight_factor, weights_at
from tests.training.test_resume import assert_equal_runs


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", {0: 1, 3.5: 1, 10: 1}),
        ("decay", {0: 1, 2.5: 0.75, 5: 0.5, 9.999: 0.0001, 10: 0, 10.5: 0}),
        ("warmup:4", {0: 0, 1: 0.25, 3.999: 0.99975, 4: 1, 4.001: 1, 10: 1}),
        ("warmup:0.5", {0: 0, 0.25: 0.5, 0.5: 1, 10: 1}),
    ],
)
def test_the_factor_at_the_borders_and_between(schedule: str, factors: dict[float, float]):
    assert {epoch: weight_factor(schedule, epoch, 10) for epoch in factors} == pytest.approx(factors)


@pytest.mark.parametrize(
    "schedule",
    ["", "warmup", "warmup:", "warmup:0", "warmup:-1", "warmup:x", "warmup:nan", "warmup:inf", "decay:3"],
)
def test_what_is_no_schedule_is_refused(schedule: str):
    with pytest.raises(
        ValueError, match="a weight's schedule is `constant`, `decay` or `warmup:EPOCHS`, such as"
    ):
        warmup_epochs(schedule)


def test_a_schedule_moves_all_parts_of_its_term_and_no_other():
    settled = {"cls": 1.0, "logit": 2.0, "hint:at": 40.0, "hint:crd": 4.0}
    moved = weights_at(settled, {"hint": "decay", "logit": "warmup:8"}, 2, 8)
    assert moved == {"cls": 1.0, "logit": 0.5, "hint:at": 30.0, "hint:crd": 3.0}


SCHEDULED = {"epochs": 4, "weight_schedule": {"hint": "decay", "logit": "warmup:2"}}


def test_the_logged_weights_are_those_in_force_at_each_step(train, settings_for):
    """Three steps an epoch, each logged; a step's weight is that of the moment at which it begins."""
    recorded = train(settings_for(**SCHEDULED))
    settled = recorded.of("weights")[0]["weights"]
    steps = recorded.of("step")
    assert len(steps) == 12
    for i, step in enumerate(steps):
        in_force = {"cls": 1.0, "logit": min(1.0, i / 6), "hint": 1 - i / 12}
        for name, value in step["raw"].items():
            part = name.split("/")[0]
            assert step["contributions"][name] == pytest.approx(
                settled[part] * in_force[part] * value, rel=1e-5
            )
        assert step["total"] == pytest.approx(sum(step["contributions"].values()), rel=1e-6)
        assert step["weighted"] == pytest.approx(
            {
                term: sum(v for name, v in step["contributions"].items() if name.startswith(term))
                for term in ("cls", "logit", "hint")
            }
        )


def test_several_steps_of_one_entry_are_weighted_each_by_its_own(train, settings_for):
    """45 steps an epoch, every second one logged: the mean of products is not the product of means."""
    fields = {
        "batch_size": 2,
        "limit": 90,
        "epochs": 1,
        "hint_loss": "none",
        "weight_schedule": {"logit": "decay"},
    }
    recorded = train(settings_for(**fields))
    settled = recorded.of("weights")[0]["weights"]["logit"]
    for step in recorded.of("step"):
        assert step["total"] == pytest.approx(sum(step["contributions"].values()), rel=1e-6)
    first, *_, last = recorded.of("step")
    assert first["contributions"]["logit"] < settled * first["raw"]["logit"]
    assert last["contributions"]["logit"] == pytest.approx(settled / 45 * last["raw"]["logit"], rel=1e-5)


@pytest.mark.parametrize("stops", [[6], [2, 5]], ids=["after epoch 2", "inside epochs"])
def test_resume_equals_uninterrupted_under_a_schedule(train, settings_for, stops: list[int]):
    settings = settings_for(**SCHEDULED)
    whole = train(settings, folder="whole")
    parts = [train(settings, stop_after=n) for n in stops]
    assert_equal_runs([*parts, train(settings)], whole)
