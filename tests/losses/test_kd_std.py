from __future__ import annotations

import math

import pytest
import torch
from scipy.special import rel_entr, softmax
from scipy.stats import zscore

from pursuhint.losses import Outputs
from pursuhint.losses.kd_std import StandardisedDistillation, standardise


def kd_std(student: torch.Tensor, teacher: torch.Tensor, temperature: float = 2.0) -> torch.Tensor:
    return StandardisedDistillation(temperature)(Outputs(student), Outputs(teacher), None)["logit"]


@pytest.mark.parametrize("classes", [3, 10, 100])
@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.0])
def test_it_is_the_relative_entropy_of_z_scores(classes: int, temperature: float):
    student, teacher = 7 * torch.randn(12, classes) + 3, 2 * torch.randn(12, classes)
    p, q = (softmax(zscore(z.double().numpy(), axis=1) / temperature, axis=1) for z in (teacher, student))
    expected = temperature**2 * rel_entr(p, q).sum(axis=1).mean()
    assert kd_std(student, teacher, temperature).item() == pytest.approx(expected, rel=1e-4)


def test_a_value_by_hand():
    """Two classes have the z-scores 1 and -1 whatever their logits are; here the wrong way round, T = 2."""
    p = 1 / (1 + math.exp(-1))
    expected = 4 * (p * math.log(p / (1 - p)) + (1 - p) * math.log((1 - p) / p))
    assert kd_std(torch.tensor([[0.1, 0.3]]), torch.tensor([[9.0, 2.0]])).item() == pytest.approx(
        expected, rel=1e-4
    )


def test_shift_and_scale_of_either_side_do_not_matter():
    student, teacher = torch.randn(6, 5), torch.randn(6, 5)
    given = kd_std(student, teacher)
    torch.testing.assert_close(kd_std(20 * student - 4, 0.1 * teacher + 9), given, rtol=1e-4, atol=1e-5)
    assert not torch.isclose(kd_std(-student, teacher), given, rtol=0.01)


def test_rows_have_mean_0_and_deviation_1_and_constant_ones_are_0():
    z = standardise(torch.cat([5 * torch.randn(3, 8) + 2, torch.full((1, 8), 0.1)]))
    torch.testing.assert_close(z.mean(1), torch.zeros(4), atol=1e-6, rtol=0)
    torch.testing.assert_close(
        z.std(1, unbiased=False), torch.tensor([1.0, 1.0, 1.0, 0.0]), atol=1e-6, rtol=1e-5
    )
