"""Which student a run hands over: the best on the selecting part, averaged or not."""

from __future__ import annotations

import pytest
import torch

from pursuhint.export import read_card
from pursuhint.runs import create_run
from pursuhint.runs.worker import work
from pursuhint.teacher import score


def test_the_average_is_the_recursion_of_the_weights_after_each_step(train, settings_for):
    decay, after = 0.7, []
    kept = {}

    def watch(parts) -> None:
        model = parts.student.model
        # Called on the way into every training step but the first: then the weights are those after the last.
        model.register_forward_pre_hook(
            lambda module, inputs: (
                after.append([p.detach().clone() for p in module.parameters()])
                if module.training and torch.is_grad_enabled()
                else None
            )
        )
        kept["parts"] = parts

    recorded = train(settings_for(epochs=2, ema=decay), watch=watch)
    plain = train(settings_for(epochs=2), folder="plain")
    assert recorded.of("step") == plain.of("step"), "the average takes no part in the training"
    last = [p.detach() for p in recorded.trainer.average.module.parameters()]
    path = recorded.trainer.folder / "epoch-0002-step-000000.pt"
    trained = torch.load(path, weights_only=True)["distiller"]
    names = [name for name, _ in kept["parts"].student.model.named_parameters()]
    steps = [
        *after[2:],
        [trained[f"student.{name}"] for name in names],
    ]  # 0: gradients at the start, 1: step 1
    assert len(steps) == 6
    expected = steps[0]
    for weights in steps[1:]:
        expected = [decay * mean + (1 - decay) * new for mean, new in zip(expected, weights, strict=True)]
    for found, mean, raw in zip(last, expected, steps[-1], strict=True):
        torch.testing.assert_close(found, mean)
        assert not torch.equal(found, raw)


def test_the_averaged_student_is_scored_and_exported(settings_for, tmp_path):
    run = create_run(settings_for(epochs=1, ema=0.5), folder=tmp_path)
    final = work(run)
    from safetensors.torch import load_file

    state = torch.load(run.checkpoint_folder / "epoch-0001-step-000000.pt", weights_only=True)
    average, exported = state["average"], load_file(run.student)
    assert all(torch.equal(value, average[f"module.{name}"]) for name, value in exported.items())
    assert any(
        not torch.equal(value, state["distiller"][f"student.{name}"]) for name, value in exported.items()
    )
    assert read_card(run.student)["test_accuracy"] == final["test_accuracy"] == final["test_accuracy_last"]


def test_the_best_test_epoch_is_chosen_and_named(train, settings_for):
    recorded = train(settings_for(epochs=4, select="test", learning_rate=0.5, warmup=0))
    epochs, final = recorded.of("epoch"), recorded.final
    best = max(epochs, key=lambda e: (e["test_accuracy"], -e["epoch"]))
    assert (final["best_epoch"], final["test_accuracy"]) == (best["epoch"], best["test_accuracy"])
    assert final["validation_accuracy"] == best["validation_accuracy"]
    assert final["test_accuracy_last"] == epochs[-1]["test_accuracy"]
    assert final["selection"] == "test"
    trainer = recorded.trainer
    again = score(trainer.distiller.student, trainer.parts.data.test, trainer.parts.preprocess)
    assert again.accuracy == final["test_accuracy"]


@pytest.mark.parametrize("select", ["validation", "test"])
def test_the_card_and_the_summary_say_what_chose(settings_for, tmp_path, select: str):
    run = create_run(settings_for(epochs=1, select=select), folder=tmp_path)
    work(run)
    assert read_card(run.student)["selection"] == select
    assert run.summary()["selection"] == select
    assert all(isinstance(value, int | float) for value in run.summary()["metrics"].values())
    assert ("test_accuracy" in run.history().epochs[0]) == (select == "test")


def test_a_student_trained_in_double_precision_is_shipped_in_single(settings_for, tmp_path):
    run = create_run(settings_for(epochs=1, precision="64-true"), folder=tmp_path)
    assert work(run)["test_accuracy"] > 0
    from safetensors.torch import load_file

    assert {v.dtype for v in load_file(run.student).values()} <= {torch.float32, torch.int64}
    state = torch.load(run.checkpoint_folder / "epoch-0001-step-000000.pt", weights_only=True)["distiller"]
    assert state["student.linear.weight"].dtype == torch.float64


@pytest.mark.parametrize(("ema", "warned"), [(0.999, True), (0.4, False), (None, False)])
def test_an_average_that_outlives_the_run_is_warned_about(
    train, settings_for, ema: float | None, warned: bool
):
    texts = [warning["text"] for warning in train(settings_for(epochs=2, ema=ema)).of("warning")]
    said = "the averaged weights reach back over about 1,000 steps and the run takes 6: what is scored"
    assert [text.startswith(said) for text in texts] == [True] * warned
