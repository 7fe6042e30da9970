from __future__ import annotations

import math

import pytest
import torch

from pursuhint.losses import Outputs
from pursuhint.losses.at import AttentionTransfer, attention
from pursuhint.pairs import Pair

PAIR = Pair("t", "s")


def at(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    logits, loss = torch.zeros(len(student), 2), AttentionTransfer([PAIR])
    outputs = Outputs(logits, {"s": student}), Outputs(logits, {"t": teacher})
    loss.prepare(*outputs)
    named = loss(*outputs, None)
    assert list(named) == ["hint/t->s"]
    return named["hint/t->s"]


def by_loops(student: torch.Tensor, teacher: torch.Tensor) -> float:
    """Mean over images and positions of the squared difference of unit-length maps, in plain Python."""

    def row(maps: torch.Tensor) -> list[float]:
        channels, height, width = maps.shape
        values = [
            sum(float(maps[c, y, x]) ** 2 for c in range(channels)) / channels
            for y in range(height)
            for x in range(width)
        ]
        length = math.sqrt(sum(value * value for value in values))
        return [value / length for value in values]

    squares = [
        (a - b) ** 2
        for i in range(len(student))
        for a, b in zip(row(student[i]), row(teacher[i]), strict=True)
    ]
    return sum(squares) / len(squares)


def test_it_is_what_plain_loops_give():
    student, teacher = torch.randn(3, 5, 4, 6), torch.randn(3, 8, 4, 6)
    assert at(student, teacher).item() == pytest.approx(by_loops(student, teacher), rel=1e-5)


def test_a_value_by_hand():
    """Maps (1, 0) and (0, 1): two squared differences of 1 over two positions."""
    student, teacher = torch.tensor([[[[2.0, 0.0]]]]), torch.tensor([[[[0.0, 5.0]]]])
    assert at(student, teacher).item() == pytest.approx(1.0)


@pytest.mark.parametrize(("large", "small"), [((8, 8), (4, 4)), ((6, 9), (2, 3))])
def test_the_larger_map_is_averaged_down(large: tuple[int, int], small: tuple[int, int]):
    big, little = torch.randn(2, 3, *large), torch.randn(2, 7, *small)
    (h, w), (bh, bw) = small, large
    pooled = big.reshape(2, 3, h, bh // h, w, bw // w).mean(dim=(3, 5))
    torch.testing.assert_close(at(big, little), at(pooled, little))
    torch.testing.assert_close(at(little, big), at(little, pooled))


def test_channel_order_sign_and_scale_do_not_matter():
    student, teacher = torch.randn(2, 6, 4, 4), torch.randn(2, 3, 4, 4)
    changed = -3 * student[:, torch.randperm(6)]
    torch.testing.assert_close(at(changed, teacher), at(student, teacher))
    assert at(teacher * 2, teacher).item() == pytest.approx(0, abs=1e-12)


def test_attention_rows_have_length_one_and_zero_stays_zero():
    maps = torch.cat([torch.randn(2, 3, 4, 4), torch.zeros(1, 3, 4, 4)])
    lengths = attention(maps).norm(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([1.0, 1.0, 0.0]))


def test_tokens_count_as_their_grid():
    maps = torch.randn(2, 6, 4, 4)
    tokens = torch.cat([torch.randn(2, 1, 6), maps.flatten(2).transpose(1, 2)], dim=1)
    other = torch.randn(2, 5, 4, 4)
    torch.testing.assert_close(at(tokens, other), at(maps, other))
