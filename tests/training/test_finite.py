"""Training stops where a figure stops being a number, and keeps what was good."""

from __future__ import annotations

import itertools

import pytest
import torch

from pursuhint.errors import PursuhintError
from pursuhint.losses.at import AttentionTransfer
from pursuhint.losses.cross_entropy import CrossEntropy
from pursuhint.losses.kd import KnowledgeDistillation
from pursuhint.training import loop, precision
from pursuhint.training.checkpoint import checkpoints
from pursuhint.training.precision import AutocastPrecision
from tests.training.test_resume import assert_equal_runs


def break_after(monkeypatch, loss: type, name: str, calls: int, value: float) -> None:
    """Let a loss return this value once it was called so often."""
    original, called = loss.forward, iter(range(10**6))

    def broken(self, *arguments):
        named = original(self, *arguments)
        if next(called) >= calls:
            named[name] = named[name] * 0 + value
        return named

    monkeypatch.setattr(loss, "forward", broken)


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (CrossEntropy, "cls"),
        (KnowledgeDistillation, "logit"),
        (AttentionTransfer, "hint/layer3.0->layer3.0"),
    ],
)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_each_part_is_named_with_its_step(train, settings_for, tmp_path, monkeypatch, loss, name, value):
    break_after(monkeypatch, loss, name, calls=1 + 3 + 1, value=value)  # at the start, an epoch, a step
    with pytest.raises(
        PursuhintError, match=rf"the loss `{name}` became {value} in epoch 2 at step 2; the last"
    ):
        train(settings_for())
    assert [path.name for path in checkpoints(tmp_path / "checkpoints")] == ["epoch-0001-step-000000.pt"]


@pytest.mark.parametrize("at_once", [True, False], ids=["on a CPU", "as on a GPU"])
@pytest.mark.parametrize(
    ("after", "value", "seen"),
    [
        (
            5,
            float("inf"),
            "the losses `cls`, `logit` became .* in epoch 2 at step 3 at once: the step",
        ),
        (6, float("inf"), "`student.linear.weight` is no longer finite in epoch 2, though every loss was"),
        (6, 3.4e38, "after epoch 2 the student's outputs are not finite: its weights went astray; the last"),
    ],
)
def test_where_the_weights_went_astray_the_largest_term_is_named(
    train, settings_for, monkeypatch, at_once, after, value, seen
):
    monkeypatch.setattr(loop.Trainer, "_reads_losses", at_once)
    take_step, steps = loop.take_step, itertools.count(1)

    def astray(fabric, module, *arguments, **options):
        values = take_step(fabric, module, *arguments, **options)
        if next(steps) == after:
            torch.nn.init.constant_(module.student.linear.weight, value)
        return values

    monkeypatch.setattr(loop, "take_step", astray)
    with pytest.raises(PursuhintError, match=seen) as told:
        train(settings_for(weights={"logit": 1000}))
    assert str(told.value).endswith("learning rate, or the weight of `logit`, 100% of the total before")


def test_where_losses_are_read_later_the_first_bad_one_is_named(train, settings_for, monkeypatch):
    """As on a GPU: by the time of the log entry all losses are bad."""
    break_after(
        monkeypatch, AttentionTransfer, "hint/layer3.0->layer3.0", calls=1 + 3 + 1, value=float("nan")
    )
    monkeypatch.setattr(loop, "LOGGED_PER_EPOCH", 1)
    monkeypatch.setattr(loop.Trainer, "_reads_losses", False)
    message = "the loss `hint/layer3.0->layer3.0` became infinite or no number in epoch 2 at step 2; the last"
    with pytest.raises(PursuhintError, match=message):
        train(settings_for())


@pytest.mark.parametrize("stop_after", [None, 2], ids=["end of the epoch", "asked to stop"])
def test_an_overflow_under_finite_losses_is_noticed_before_it_is_saved(
    train, settings_for, tmp_path, monkeypatch, stop_after
):
    take_step = loop.take_step
    called = iter(range(10**6))

    def overflow(fabric, module, *arguments, **options):
        values = take_step(fabric, module, *arguments, **options)
        if next(called) == (stop_after or 3) - 1:
            with torch.no_grad():
                module.student.linear.weight[0, 0] = float("inf")
        return values

    monkeypatch.setattr(loop, "take_step", overflow)
    message = "`student.linear.weight` is no longer finite in epoch 1, though every loss was: a gradient over"
    with pytest.raises(PursuhintError, match=message):
        train(settings_for(), stop_after=stop_after)
    assert checkpoints(tmp_path / "checkpoints") == []


def test_steps_that_loss_scaling_skips_are_no_failure(train, settings_for, monkeypatch):
    """A scale far too large: gradients overflow, the step is left out, the scale halved, the loss is fine."""

    def half(name: str, device: torch.device) -> AutocastPrecision:
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=10**6)
        made = AutocastPrecision("16-mixed", "cpu", scaler)
        made.scaler._backoff_factor = 2.0**-40
        return made

    monkeypatch.setattr(precision, "build_precision", half)
    whole = train(settings_for(epochs=3), folder="whole")
    assert len(whole.of("step")) == 9
    scaler = torch.load(whole.trainer.folder / "epoch-0003-step-000000.pt", weights_only=True)["scaler"]
    assert scaler["scale"] < 2.0**127, "at least one step was skipped"
    parts = [train(settings_for(epochs=3), stop_after=5), train(settings_for(epochs=3))]
    assert_equal_runs(parts, whole)


def test_mixed_precision_hands_losses_what_the_teacher_said():
    data = (torch.tensor([0.1, 0.2]), {"soft": torch.tensor([1 / 3])})
    handed = AutocastPrecision("bf16-mixed", "cpu").convert_input(data)
    assert handed is data
