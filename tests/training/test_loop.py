"""What must hold in every distillation."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file

from pursuhint.catalogue import HINT_FACTS
from pursuhint.errors import InputError, PursuhintError
from pursuhint.losses import LOGIT_LOSSES, CrossEntropy
from pursuhint.losses.at import AttentionTransfer
from pursuhint.training.prepare import Parts
from tests.tiny import TEACHER


def test_the_teacher_is_bit_identical_after_a_run(train, settings_for):
    kept = {}

    def watch(parts: Parts) -> None:
        kept["parts"] = parts
        kept["before"] = {k: v.clone() for k, v in parts.teacher.model.state_dict().items()}

    train(settings_for(hint_loss="fitnet", epochs=1), watch=watch)
    teacher = kept["parts"].teacher.model
    after = teacher.state_dict()
    assert any(name.endswith("running_mean") for name in after)
    assert all(torch.equal(value, kept["before"][name]) for name, value in after.items())
    assert not any(module.training for module in teacher.modules())
    assert not any(p.requires_grad or p.grad is not None for p in teacher.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in teacher.modules())


def test_a_teacher_left_in_train_mode_is_neither_used_so_nor_changed(train, settings_for):
    kept = {}

    def watch(parts: Parts) -> None:
        parts.teacher.model.train()
        kept["model"] = parts.teacher.model
        kept["before"] = {k: v.clone() for k, v in parts.teacher.model.state_dict().items()}

    rested = train(settings_for(epochs=1), folder="rested")
    recorded = train(settings_for(epochs=1), watch=watch)
    assert recorded.of("step") == rested.of("step")
    assert all(torch.equal(v, kept["before"][k]) for k, v in kept["model"].state_dict().items())
    assert all(module.training for module in kept["model"].modules())


@pytest.mark.parametrize("hint_loss", [*HINT_FACTS, "none"])
def test_the_total_is_the_weighted_sum_of_the_named_losses(train, settings_for, hint_loss: str):
    recorded = train(settings_for(hint_loss=hint_loss, epochs=1))
    (settled,) = recorded.of("weights")
    steps = recorded.of("step")
    assert len(steps) == 3
    parts = {"none": [], "at+crd": ["hint:at", "hint:at", "hint:crd"]}.get(hint_loss, ["hint"] * 3)
    expected = ["cls", "logit", *(f"{part}/layer{i}.0->layer{i}.0" for i, part in enumerate(parts, start=1))]
    for step in steps:
        assert list(step["raw"]) == list(step["contributions"]) == expected
        for name, value in step["contributions"].items():
            weight = settled["weights"][name.partition("/")[0]]
            assert value == pytest.approx(weight * step["raw"][name], rel=1e-6)
        by_term: dict[str, float] = {}
        for name, value in step["contributions"].items():
            term = name.partition("/")[0].partition(":")[0]
            by_term[term] = by_term.get(term, 0.0) + value
        assert step["weighted"] == pytest.approx(by_term, rel=1e-6)
        assert step["total"] == pytest.approx(sum(by_term.values()), rel=1e-6)


def test_teacher_and_student_see_the_same_tensor(train, settings_for):
    seen: dict[str, list[torch.Tensor]] = {"teacher": [], "student": []}
    settings = settings_for(epochs=2)

    def watch(parts: Parts) -> None:
        def note(who: str):
            def hook(module, inputs):
                if len(inputs[0]) == settings.batch_size and (who == "teacher" or module.training):
                    seen[who].append(inputs[0])

            return hook

        parts.teacher.model.register_forward_pre_hook(note("teacher"))
        parts.student.model.register_forward_pre_hook(note("student"))

    train(settings, watch=watch)
    assert len(seen["teacher"]) == len(seen["student"]) == 1 + 2 * 3
    for taught, learned in zip(seen["teacher"], seen["student"], strict=True):
        assert taught is learned
    assert not torch.equal(seen["teacher"][1], seen["teacher"][4]), "the epochs differ"


def test_the_same_seed_gives_the_same_history(train, settings_for):
    first, second = (train(settings_for(), folder=name) for name in "ab")
    for kind in ("weights", "step", "epoch", "final"):
        assert first.of(kind) == second.of(kind)
        assert first.of(kind)
    assert all(torch.equal(value, second.student[name]) for name, value in first.student.items())


def test_another_seed_gives_another_history(train, settings_for):
    seeds = (20240101, 2**63 - 1)  # a date is larger than what torch takes once epoch and step are mixed in
    first, second = (train(settings_for(epochs=1, seed=seed), folder=str(seed)) for seed in seeds)
    assert first.of("step") != second.of("step")


def test_the_final_figures_are_those_of_the_best_epoch(train, settings_for):
    recorded = train(settings_for(epochs=3))
    epochs = recorded.of("epoch")
    best = max(epochs, key=lambda e: (e["validation_accuracy"], -e["epoch"]))
    final = recorded.final
    assert [e["epoch"] for e in epochs] == [1, 2, 3]
    assert final["best_epoch"] == best["epoch"]
    assert final["validation_accuracy"] == best["validation_accuracy"]
    assert final["n_test"] == 500
    trainer = recorded.trainer
    data, student = trainer.parts.data, trainer.distiller.student.eval()
    with torch.no_grad():
        logits = student(trainer.parts.preprocess.apply(data.test.images()))
    right = (logits.argmax(1).numpy() == data.test.labels).mean()
    assert final["test_accuracy"] == pytest.approx(right)


def test_a_nan_names_its_term_and_keeps_the_checkpoint(train, settings_for, tmp_path, monkeypatch):
    settings = settings_for()
    train(settings, stop_after=3)  # one epoch and no step of the second
    original, calls = AttentionTransfer.forward, iter(range(100))

    def broken(self, *arguments):
        named = original(self, *arguments)
        if next(calls) >= 1:
            named["hint/layer2.0->layer2.0"] = named["hint/layer2.0->layer2.0"] * float("nan")
        return named

    monkeypatch.setattr(AttentionTransfer, "forward", broken)
    before = {p.name: p.read_bytes() for p in (tmp_path / "checkpoints").iterdir()}
    message = (
        "the loss `hint/layer2.0->layer2.0` became nan in epoch 2 at step 2; the last good checkpoint, if"
    )
    with pytest.raises(PursuhintError, match=message):
        train(settings)
    assert {p.name: p.read_bytes() for p in (tmp_path / "checkpoints").iterdir()} == before


def test_an_exploding_run_stops_at_the_first_bad_loss(train, settings_for):
    settings = settings_for(learning_rate=1e30, warmup=0, epochs=3)
    with pytest.raises(
        PursuhintError, match="the losses `cls`, `logit`, .* became nan in epoch 1 at step 2 at once"
    ):
        train(settings)


def test_without_hints_and_teacher_only_the_labels_count(train, settings_for):
    alone = settings_for(kind="train", plan=None, hint_loss="none", logit_loss="none", epochs=1)
    recorded = train(alone)
    assert recorded.of("weights")[0]["weights"] == {"cls": 1.0}
    assert all(list(step["raw"]) == ["cls"] for step in recorded.of("step"))
    assert [type(loss) for loss in recorded.trainer.distiller.losses] == [CrossEntropy]


@pytest.mark.parametrize("logit_loss", LOGIT_LOSSES)
def test_every_logit_loss_can_be_balanced_and_trains(train, settings_for, logit_loss: str):
    recorded = train(settings_for(logit_loss=logit_loss, hint_loss="none", epochs=4, warmup=0))
    (settled,) = recorded.of("weights")
    assert settled["shares"] == pytest.approx({"cls": 0.5, "logit": 0.5})
    values = [step["raw"]["logit"] for step in recorded.of("step")]
    assert len(values) == 12
    assert sum(values[-3:]) < 0.95 * sum(values[:3])


def test_label_smoothing_reaches_the_labels_term_alone(train, settings_for):
    plain, smoothed = (
        train(settings_for(epochs=1, label_smoothing=s), folder=str(s)).of("step")[0]["raw"] for s in (0, 0.9)
    )
    assert smoothed["cls"] != pytest.approx(plain["cls"], rel=1e-3)
    assert {k: v for k, v in smoothed.items() if k != "cls"} == {k: v for k, v in plain.items() if k != "cls"}


def test_mixed_precision_trains_with_finite_losses(train, settings_for):
    recorded = train(settings_for(precision="bf16-mixed", epochs=1, hint_loss="fitnet"))
    exact = train(settings_for(epochs=1, hint_loss="fitnet"), folder="exact")
    for step, other in zip(recorded.of("step"), exact.of("step"), strict=True):
        assert math.isfinite(step["total"])
        assert step["raw"]["cls"] == pytest.approx(other["raw"]["cls"], rel=0.1)
    assert all(v.dtype != torch.bfloat16 for v in recorded.student.values())


@pytest.mark.parametrize("pays", [True, False])
def test_bfloat16_without_arithmetic_for_it_is_warned_about(train, settings_for, monkeypatch, pays: bool):
    monkeypatch.setattr("pursuhint.training.loop.bfloat16_pays", lambda _: pays)
    recorded = train(settings_for(precision="bf16-mixed", epochs=1), stop_after=0)
    texts = [warning["text"] for warning in recorded.of("warning")]
    said = "this cpu has no arithmetic for bfloat16, so bf16-mixed can be many times slower than 32-true here"
    assert texts == ([] if pays else [said])


def test_start_weights_come_from_the_given_file(train, settings_for, tiny_weights):
    started = {}

    def watch(parts: Parts) -> None:
        started.update({k: v.clone() for k, v in parts.student.model.state_dict().items()})

    settings = settings_for(student=TEACHER, init=str(tiny_weights), learning_rate=1e-6, epochs=1)
    recorded = train(settings, watch=watch)
    assert all(torch.equal(started[name], value) for name, value in load_file(tiny_weights).items())
    assert recorded.final["validation_accuracy"] > 0.8


def test_more_images_than_there_are_or_than_a_batch_are_refused(train, settings_for):
    with pytest.raises(
        InputError, match="`limit` must be at most 1000, the training images there are; found 5000"
    ):
        train(settings_for(limit=5000))
    with pytest.raises(
        InputError, match="`batch_size` must be at most 96, the number of training images; found 97"
    ):
        train(settings_for(batch_size=97))


def test_a_term_without_pull_is_warned_about(train, settings_for):
    weights = {"mode": "fixed", "cls": 1, "logit": 1, "hint": 1e-6}
    recorded = train(settings_for(weights=weights, epochs=1))
    (warning,) = recorded.of("warning")
    assert warning["text"].startswith("L_hint makes up 0.00% of the gradient at the start: it is as good as")


def test_the_progress_and_the_learning_rate_are_recorded(train, settings_for):
    recorded = train(settings_for(schedule="constant", warmup=0, learning_rate=0.02))
    steps = recorded.of("step")
    assert [step["step"] for step in steps] == [1, 2, 3, 4, 5, 6]
    assert [step["epoch"] for step in steps] == pytest.approx([1 / 3, 2 / 3, 1, 4 / 3, 5 / 3, 2])
    assert {step["learning_rate"] for step in steps} == {0.02}
