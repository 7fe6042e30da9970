"""A dry run tells what the run then does, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from pursuhint.dry_run import DryRun, ask_dry_run, dry_run
from pursuhint.errors import InputError, PursuhintError
from pursuhint.home import home
from pursuhint.runs import create_run
from pursuhint.runs.worker import work


def everything_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_it_begins_as_the_run_does_and_leaves_nothing(settings_for):
    settings = settings_for(hint_loss="at+crd", epochs=1)
    before = everything_in(home())
    tried = dry_run(settings)
    assert everything_in(home()) == before
    run = create_run(settings)
    work(run)
    history = run.history()
    (settled,) = [event for event in run.journal.read()[0] if event["kind"] == "weights"]
    first = next(event for event in run.journal.read()[0] if event["kind"] == "step")
    assert tried.weights == settled["weights"] and tried.shares == settled["shares"]
    assert tried.warnings == tuple(history.warnings)
    assert list(tried.losses) == ["cls", "logit", "hint:at", "hint:crd"]
    of_part = lambda part: sum(v for name, v in first["raw"].items() if name.partition("/")[0] == part)  # noqa: E731
    assert tried.losses == {part: pytest.approx(of_part(part)) for part in tried.losses}
    assert sum(tried.weighted.values()) == pytest.approx(first["total"])
    start = history.facts["start"]
    assert tried.steps == start["steps_per_epoch"]
    assert tried.adapter_parameters == sum(pair["adapter_parameters"] for pair in start["pairs"]) > 0
    assert 0 < tried.teacher_seconds <= tried.step_seconds and tried.scoring_seconds > 0
    assert tried.peak_bytes > 50e6


@pytest.mark.parametrize(("limit", "views"), [(10.0, 2), (1e-6, 0)])
def test_kept_targets_are_counted_where_they_fit(settings_for, limit: float, views: int):
    tried = dry_run(settings_for(epochs=1, keep_targets=2, targets_limit=limit))
    assert (tried.views, tried.targets_bytes > 0) == (views, views > 0)
    assert any("targets would not be kept: 2 views take" in text for text in tried.warnings) == (views == 0)


@pytest.mark.parametrize("precision", ["64-true", "bf16-mixed"])
def test_it_can_be_done_in_any_precision(settings_for, precision: str):
    assert dry_run(settings_for(epochs=1, precision=precision)).step_seconds > 0


def test_the_weights_are_those_of_the_first_step(settings_for):
    plain = dry_run(settings_for(epochs=4))
    tried = dry_run(settings_for(epochs=4, weight_schedule={"hint": "warmup:2", "logit": "decay"}))
    assert tried.weights == plain.weights | {"hint": 0.0} and tried.settled == plain.weights == plain.settled
    assert tried.shares["hint"] == 0 and sum(tried.shares.values()) == pytest.approx(1)
    ratio = plain.shares["cls"] / plain.shares["logit"]
    assert tried.shares["cls"] / tried.shares["logit"] == pytest.approx(ratio)


def test_without_a_teacher_none_is_timed(settings_for):
    settings = settings_for(kind="train", plan=None, hint_loss="none", logit_loss="none")
    tried = dry_run(settings)
    assert tried.teacher_seconds == 0 and tried.weights == {"cls": 1.0} == tried.shares
    assert tried.ready_seconds > 0
    assert tried.run_seconds(4) == pytest.approx(tried.ready_seconds + 4 * tried.epoch_seconds)


def test_a_process_of_its_own_says_the_same(settings_for):
    settings = settings_for()
    here, there = dry_run(settings), ask_dry_run(settings)
    assert isinstance(there, DryRun)
    assert there.weights == pytest.approx(here.weights) and there.losses == pytest.approx(here.losses)
    assert not list(home().glob(".dry-run*"))


def test_a_first_step_that_is_not_finite_is_said_before_the_start(settings_for):
    with pytest.raises(PursuhintError, match="the losses `cls`, .* became nan in epoch 1 at step 2"):
        dry_run(settings_for(learning_rate=1e30, limit=None))


def test_what_the_worker_would_refuse_is_refused(settings_for, tiny_plan):
    with pytest.raises(InputError, match="batch_size` must be at most 96"):
        ask_dry_run(settings_for(batch_size=128))
    stranger = tiny_plan.model_copy(
        update={"teacher": tiny_plan.teacher.model_copy(update={"hash": "0" * 16})}
    )
    with pytest.raises(InputError, match="teacher"):
        dry_run(settings_for(plan=stranger))


def test_a_disk_that_cannot_be_written_is_said_before_the_start(settings_for, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PURSUHINT_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(PursuhintError, match="cannot write .*PURSUHINT_HOME"):
        dry_run(settings_for())
