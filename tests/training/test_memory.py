"""Running out of memory for real, in a training step, and what is said of it."""

from __future__ import annotations

import pytest
import torch

from pursuhint.device import is_out_of_memory
from pursuhint.errors import PursuhintError
from pursuhint.losses.at import AttentionTransfer
from pursuhint.training.memory import explain_out_of_memory

ABSURD = 1 << 50
"""Bytes."""


def allocate(*_: object) -> torch.Tensor:
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


def test_scoring_is_not_blamed_on_the_images(train, settings_for):
    def watch(parts) -> None:
        parts.student.model.register_forward_pre_hook(
            lambda module, inputs: allocate() if torch.is_inference_mode_enabled() else None
        )

    with pytest.raises(PursuhintError, match="out of memory with batches of 32 images; there is no"):
        train(settings_for(epochs=1), watch=watch)


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
