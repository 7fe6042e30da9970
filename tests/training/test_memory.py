"""Running out of memory for real, in a training step, and what is said of it."""

from __future__ import annotations

import pytest
import torch

from pursuhint.device import is_out_of_memory
from pursuhint.dry_run import dry_run
from pursuhint.errors import PursuhintError
from pursuhint.losses.at import AttentionTransfer
from pursuhint.runs import create_run
from pursuhint.runs.worker import work
from pursuhint.training import prepare
from pursuhint.training.memory import explain_out_of_memory

ABSURD = 1 << 50
"""Bytes."""


def allocate(*_: object, **__: object) -> torch.Tensor:
    return torch.empty(ABSURD, dtype=torch.uint8)


def test_a_step_that_needs_too_much_says_what_to_lower(train, settings_for, monkeypatch):
    original, called = AttentionTransfer.compare, iter(range(10**6))

    def greedy(self, *arguments):
        if next(called) >= 3 * (1 + 3):  # three pairs: at the start and in one epoch
            allocate()
        return original(self, *arguments)

    monkeypatch.setattr(AttentionTransfer, "compare", greedy)
    message = (
        "out of memory with batches of 32 images; the last checkpoint is kept: resume the run once there is "
        "more memory, or start it anew with `--accumulate 2` .*, `--batch-size 16`, `--precision bf16-mixed`"
    )
    with pytest.raises(PursuhintError, match=message):
        train(settings_for())


def test_before_the_first_checkpoint_nothing_is_promised(train, settings_for, monkeypatch):
    monkeypatch.setattr(AttentionTransfer, "compare", allocate)
    message = (
        r"out of memory with batches of 32 images in 4 parts; there is no checkpoint yet: start it anew with "
        r"`--accumulate 8` \(the same batch in smaller parts\), `--batch-size 16`$"
    )
    with pytest.raises(PursuhintError, match=message):
        train(settings_for(accumulate=4, precision="bf16-mixed"))


def test_scoring_is_not_blamed_on_the_batches_of_the_training(train, settings_for):
    def watch(parts) -> None:
        parts.student.model.register_forward_pre_hook(
            lambda module, inputs: allocate() if torch.is_inference_mode_enabled() else None
        )

    message = "^out of memory with a single image on cpu; free some memory, or choose another `--device`"
    with pytest.raises(PursuhintError, match=message):
        train(settings_for(epochs=1), watch=watch)


def test_a_run_is_scored_in_batches_that_fit(train, settings_for):
    def watch(parts) -> None:
        def hook(module: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
            if torch.is_inference_mode_enabled() and len(inputs[0]) > 40:
                allocate()

        parts.student.model.register_forward_pre_hook(hook)

    fitting, plain = (
        train(settings_for(), folder="fitting", watch=watch),
        train(settings_for(), folder="plain"),
    )
    assert fitting.final["test_accuracy"] == plain.final["test_accuracy"]
    assert fitting.of("step") == plain.of("step")


@pytest.mark.parametrize("place", ["load_teacher", "begin"])
def test_networks_that_do_not_fit_are_not_blamed_on_the_batches(settings_for, monkeypatch, place: str):
    monkeypatch.setattr(prepare, place, allocate)
    run = create_run(settings_for(device="auto"))
    message = (
        "out of memory while images and networks were loaded, before any batch; there is no checkpoint yet: "
        "start it anew with more memory, smaller networks, `--device cpu`"
    )
    with pytest.raises(PursuhintError) as caught:
        work(run, now=True)
    assert str(caught.value) == run.last_state()["reason"] == message
    with pytest.raises(PursuhintError, match="networks were loaded, before any batch.* smaller networks$"):
        dry_run(settings_for())


def test_other_errors_pass(settings_for, tmp_path):
    with pytest.raises(RuntimeError, match="a mat"), explain_out_of_memory(settings_for(), tmp_path):
        raise RuntimeError("a mat multiply of the wrong shapes")
    with (
        pytest.raises(PursuhintError, match="out of memory with batches"),
        explain_out_of_memory(settings_for(), tmp_path),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")


def test_what_the_allocators_say_is_known():
    with pytest.raises(RuntimeError) as caught:
        allocate()
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(ValueError("out of memory"))
