from __future__ import annotations

import numpy as np
import pytest
import torch

from pursuhint.losses.nst import NeuronSelectivity, mean_kernel
from tests.losses.one_pair import fresh


def by_loops(guided: torch.Tensor, hint: torch.Tensor) -> float:
    """The squared MMD of the channels of each image with the kernel (x . y)^2, in plain Python."""

    def channels(image: torch.Tensor) -> list[np.ndarray]:
        rows = [channel.double().numpy().ravel() for channel in image]
        return [row / np.linalg.norm(row) for row in rows]

    def mean(first: list[np.ndarray], second: list[np.ndarray]) -> float:
        return sum(float(a @ b) ** 2 for a in first for b in second) / (len(first) * len(second))

    values = []
    for g, h in zip(guided, hint, strict=True):
        s, t = channels(g), channels(h)
        values.append(mean(t, t) + mean(s, s) - 2 * mean(s, t))
    return sum(values) / len(values)


@pytest.mark.parametrize("grid", [(2, 2), (5, 4)], ids=["by positions", "by channels"])
def test_it_is_what_plain_loops_give(grid: tuple[int, int]):
    guided, hint = torch.randn(3, 5, *grid), torch.randn(3, 8, *grid)
    assert fresh(NeuronSelectivity, guided, hint).item() == pytest.approx(by_loops(guided, hint), rel=1e-4)


def test_both_routes_to_the_mean_kernel_agree():
    first, second = torch.randn(2, 6, 4), torch.randn(2, 5, 4)
    many = [torch.cat([x, torch.zeros(2, x.shape[1], 12)], dim=2) for x in (first, second)]
    torch.testing.assert_close(mean_kernel(first, second), mean_kernel(*many))


def test_a_value_by_hand():
    """One channel each, at different places: 1 + 1 - 2 * 0."""
    guided, hint = torch.tensor([[[[2.0, 0.0]]]]), torch.tensor([[[[0.0, 5.0]]]])
    assert fresh(NeuronSelectivity, guided, hint).item() == pytest.approx(2.0)


def test_channel_order_sign_and_scale_do_not_matter_but_places_do():
    guided, hint = torch.randn(2, 6, 4, 4), torch.randn(2, 3, 4, 4)
    changed = guided[:, torch.randperm(6)] * torch.tensor([1.0, -2, 3, -4, 5, -6]).view(6, 1, 1)
    expected = fresh(NeuronSelectivity, guided, hint)
    torch.testing.assert_close(fresh(NeuronSelectivity, changed, hint), expected)
    assert abs(fresh(NeuronSelectivity, guided.flip(3), hint) - expected) > 1e-3


def test_a_dead_channel_stays_and_has_no_gradient():
    guided = torch.randn(2, 3, 4, 4)
    guided[:, 1] = 0
    guided.requires_grad_()
    fresh(NeuronSelectivity, guided, torch.randn(2, 3, 4, 4)).backward()
    assert (guided.grad[:, 1] == 0).all()
    assert guided.grad[:, 0].abs().sum() > 0
