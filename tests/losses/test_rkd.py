from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist, squareform

from pursuhint.errors import InputError
from pursuhint.losses.rkd import Relational, relations
from tests.losses.one_pair import fresh


def huber(error: float) -> float:
    return error**2 / 2 if abs(error) < 1 else abs(error) - 0.5


def by_loops(guided: torch.Tensor, hint: torch.Tensor) -> float:
    """Distances from scipy and every angle from its definition, 25 and 50 times the mean Huber loss."""
    n = len(guided)

    def distances(rows: np.ndarray) -> np.ndarray:
        return squareform(pdist(rows)) / pdist(rows).mean()

    def cosine(rows: np.ndarray, i: int, j: int, k: int) -> float:
        first, second = rows[j] - rows[i], rows[k] - rows[i]
        lengths = np.linalg.norm(first) * np.linalg.norm(second)
        return float(first @ second / lengths) if lengths else 0.0

    s, t = guided.double().numpy(), hint.double().numpy()
    gaps = (distances(s) - distances(t)).ravel()
    angles = [
        huber(cosine(s, i, j, k) - cosine(t, i, j, k)) for i in range(n) for j in range(n) for k in range(n)
    ]
    return 25 * sum(map(huber, gaps)) / n**2 + 50 * sum(angles) / n**3


def test_it_is_what_plain_loops_give():
    guided, hint = torch.randn(5, 4), torch.randn(5, 7)
    assert fresh(Relational, guided, hint).item() == pytest.approx(by_loops(guided, hint), rel=1e-4)


def test_a_value_by_hand():
    """Three images on a line against a right angle: distances 1, 1, 2 and 1, 1, sqrt 2, over their means."""
    line, corner = torch.tensor([[0.0, 0], [1, 0], [2, 0]]), torch.tensor([[1.0, 0], [0, 0], [0, 1]])
    distances, angles = relations(line)
    torch.testing.assert_close(distances[0], torch.tensor([0.0, 0.75, 1.5]))
    assert angles[1, 0, 2].item() == pytest.approx(-1)
    assert angles[0, 1, 2].item() == pytest.approx(1)
    distances, angles = relations(corner)
    assert angles[1, 0, 2].item() == pytest.approx(0)
    assert angles[0, 1, 2].item() == pytest.approx(2**-0.5)


def test_moving_turning_and_scaling_change_nothing_but_stretching_does():
    guided, hint = torch.randn(6, 4), torch.randn(6, 5)
    rotation, _ = torch.linalg.qr(torch.randn(4, 4))
    expected = fresh(Relational, guided, hint)
    torch.testing.assert_close(
        fresh(Relational, 3 * guided @ rotation + 7, hint), expected, rtol=1e-3, atol=1e-4
    )
    stretched = guided * torch.tensor([10.0, 1, 1, 1])
    assert abs(fresh(Relational, stretched, hint) - expected) > 0.1


def test_two_images_in_one_place_have_finite_gradients():
    guided = torch.randn(4, 3)
    guided[1] = guided[0]
    guided.requires_grad_()
    fresh(Relational, guided, torch.randn(4, 3)).backward()
    assert guided.grad.abs().max() < 1e3


@pytest.mark.parametrize("images", [1, 2])
def test_too_few_images_are_refused(images: int):
    with pytest.raises(InputError, match=f"the hint loss `rkd` compares .* needs at least 3; found {images}"):
        fresh(Relational, torch.randn(images, 4), torch.randn(images, 4))
