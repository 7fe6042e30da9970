from __future__ import annotations

import math

import pytest
import torch
from scipy.spatial.distance import cdist

from pursuhint.errors import InputError
from pursuhint.losses.pkt import ProbabilisticTransfer
from tests.losses.one_pair import fresh


def test_it_is_the_mean_divergence_of_the_neighbourhoods():
    """Against scipy's cosine distance: (1 + cos) / 2 = 1 - distance / 2."""
    guided, hint = torch.randn(6, 4), torch.randn(6, 9)

    def neighbourhoods(rows: torch.Tensor):
        nearness = 1 - cdist(rows.double().numpy(), rows.double().numpy(), "cosine") / 2
        return nearness / nearness.sum(axis=1, keepdims=True)

    p, q = neighbourhoods(hint), neighbourhoods(guided)
    expected = sum(p[i, j] * math.log(p[i, j] / q[i, j]) for i in range(6) for j in range(6)) / 36
    assert fresh(ProbabilisticTransfer, guided, hint).item() == pytest.approx(expected, rel=1e-3)


def test_a_value_by_hand():
    """Student: equal images, (1/2, 1/2). Teacher: at right angles, (2/3, 1/3)."""
    expected = (2 / 3 * math.log(4 / 3) + 1 / 3 * math.log(2 / 3)) / 2
    assert fresh(ProbabilisticTransfer, torch.ones(2, 3), torch.eye(2)).item() == pytest.approx(
        expected, rel=1e-4
    )


def test_maps_count_by_their_mean():
    guided, hint = torch.randn(4, 5, 3, 3), torch.randn(4, 6, 2, 2)
    rows = guided.mean(dim=(2, 3)), hint.mean(dim=(2, 3))
    torch.testing.assert_close(
        fresh(ProbabilisticTransfer, guided, hint), fresh(ProbabilisticTransfer, *rows)
    )


def test_each_images_scale_does_not_matter_but_a_shift_does():
    guided, hint = torch.randn(5, 4), torch.randn(5, 6)
    expected = fresh(ProbabilisticTransfer, guided, hint)
    scaled = guided * torch.rand(5, 1).add(0.1)
    torch.testing.assert_close(fresh(ProbabilisticTransfer, scaled, hint), expected)
    assert abs(fresh(ProbabilisticTransfer, guided + 2, hint) - expected) > 1e-4


def test_equal_layers_cost_nothing():
    rows = torch.randn(5, 4)
    assert fresh(ProbabilisticTransfer, rows, rows).item() == pytest.approx(0, abs=1e-7)


def test_one_image_is_refused():
    with pytest.raises(InputError, match="the hint loss `pkt` compares .* needs at least 2; found 1"):
        fresh(ProbabilisticTransfer, torch.randn(1, 4), torch.randn(1, 4))
