from __future__ import annotations

import time

import pytest
import torch
from torch import nn

from pursuhint.errors import InputError
from pursuhint.students import measure_latency
from pursuhint.students.latency import ROUNDS, WARM_UP


class Sleeper(nn.Module):
    """Takes a known time for a batch and notes when it was called."""

    def __init__(self, seconds: float, calls: list[str], name: str) -> None:
        super().__init__()
        self.seconds, self.calls, self.name = seconds, calls, name

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls.append(f"{self.name}{len(x)}{'t' if self.training else 'e'}{torch.get_num_threads()}")
        time.sleep(self.seconds)
        return x


def test_networks_take_turns_and_the_median_is_for_one_image():
    calls: list[str] = []
    threads = torch.get_num_threads()
    models = [Sleeper(0.004, calls, "a"), Sleeper(0.012, calls, "b").eval()]
    short, long = measure_latency(models, (3, 2, 2), batch_size=4, threads=2)
    assert calls == ["a4e2", "b4e2"] * (WARM_UP + ROUNDS)
    assert 0.001 <= short < 0.002 and 0.003 <= long < 0.005
    assert torch.get_num_threads() == threads
    assert [model.training for model in models] == [True, False]


@pytest.mark.parametrize("option", ["batch_size", "threads"])
def test_nothing_is_not_measured(option: str):
    with pytest.raises(InputError, match=f"`{option}` must be at least 1; found 0"):
        measure_latency([], (3, 2, 2), **{option: 0})
