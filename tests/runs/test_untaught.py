from __future__ import annotations

import pytest

from pursuhint.runs.setting_differences import setting_differences
from pursuhint.runs.untaught import find_untaught, untaught_settings
from tests.runs.conftest import ALONE


def taught(settings: dict, **more) -> dict:
    """A summary of a run with a teacher: what matters of it."""
    with_teacher = {"kind": "distill", "hint_loss": "at", "logit_loss": "kd", "metric": "r2_cca"}
    return {"id": "taught", "settings": settings | with_teacher | more}


def test_the_same_student_without_a_teacher_is_found(write_run):
    run = write_run(test=0.8, name="alone")
    found = find_untaught(taught(run.summary()["settings"]), [run.summary()])
    assert (found.id, found.name, found.test_accuracy, found.differs) == (run.id, "alone", 0.8, ())
    assert found.validation_accuracy == pytest.approx(0.81)


@pytest.mark.parametrize("change", [{"seed": 1}, {"epochs": 4}, {"student": "zoo:resnet20"}, {"limit": 64}])
def test_another_student_or_budget_is_no_comparison(write_run, change: dict):
    run = write_run(test=0.8)
    assert find_untaught(taught(run.summary()["settings"], **change), [run.summary()]) is None


def test_an_unfinished_run_and_one_with_a_teacher_are_passed_over(write_run):
    settings = write_run(test=0.8).summary()["settings"]
    other = write_run(test=0.8, state="failed").summary()
    assert find_untaught(taught(settings), [other]) is None
    assert find_untaught(taught(settings), [other | taught(settings) | {"state": "finished"}]) is None
    assert find_untaught({"settings": settings}, [other]) is None  # it has no teacher itself
    early = other | {"state": "finished", "epoch": other["epochs"] - 1}
    assert find_untaught(taught(settings), [early]) is None
    assert find_untaught(taught(settings), [early | {"epoch": other["epochs"]}]) is not None


def test_the_run_that_differs_least_is_taken_and_the_difference_told(write_run):
    near, far = write_run(test=0.8), write_run(test=0.9, learning_rate=0.2, momentum=0.5)
    settings = taught(near.summary()["settings"], learning_rate=0.2)
    assert find_untaught(settings, [far.summary()]).differs == ("momentum",)
    found = find_untaught(settings, [near.summary(), write_run(test=0.7, learning_rate=0.2).summary()])
    assert (found.test_accuracy, found.differs) == (0.7, ())


def test_the_settings_without_the_teacher_are_found_as_its_comparison(settings_for, write_run):
    settings = settings_for(seed=5, label_smoothing=0.1)
    alone = untaught_settings(settings)
    assert (alone.kind, alone.seed, alone.label_smoothing, alone.plan) == ("train", 5, 0.1, None)
    fields = alone.model_dump(exclude_unset=True)
    run = write_run(
        test=0.8,
        **{name: value for name, value in fields.items() if name not in ALONE}
        | {name: fields[name] for name in ALONE},
    )
    from pursuhint.runs.digest import settings_table

    assert find_untaught({"settings": settings_table(settings)}, [run.summary()]).differs == ()


def test_only_what_differs_is_listed():
    assert setting_differences([{"a": 1, "b": [1]}, {"a": 1, "b": [2]}, {"a": 1}]) == {"b": [[1], [2], None]}
    assert setting_differences([{"a": 1}]) == {}
