from __future__ import annotations

import math

import pytest
import torch
from scipy.special import rel_entr, softmax

from pursuhint.errors import InputError
from pursuhint.losses import Outputs
from pursuhint.losses.kd import KnowledgeDistillation


def kd(student: torch.Tensor, teacher: torch.Tensor, temperature: float = 4.0) -> torch.Tensor:
    named = KnowledgeDistillation(temperature)(Outputs(student), Outputs(teacher), None)
    assert list(named) == ["logit"]
    return named["logit"]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
def test_it_is_the_relative_entropy_times_t_squared(temperature: float):
    student, teacher = 3 * torch.randn(16, 10), 3 * torch.randn(16, 10)
    p = softmax(teacher.double().numpy() / temperature, axis=1)
    q = softmax(student.double().numpy() / temperature, axis=1)
    expected = temperature**2 * rel_entr(p, q).sum(axis=1).mean()
    assert kd(student, teacher, temperature).item() == pytest.approx(expected, rel=1e-4)


def test_a_value_by_hand():
    """Teacher 3/4 and 1/4, student 1/2 and 1/2, T = 1: 3/4 log(3/2) + 1/4 log(1/2)."""
    teacher, student = torch.tensor([[math.log(3), 0.0]]), torch.zeros(1, 2)
    assert kd(student, teacher, 1.0).item() == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))


def test_student_equal_to_teacher_costs_nothing_and_pulls_nowhere():
    logits = torch.randn(8, 10)
    student = logits.clone().requires_grad_()
    loss = kd(student, logits)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert student.grad.abs().max() < 1e-6


def test_a_constant_added_to_the_logits_changes_nothing():
    student, teacher = torch.randn(8, 10), torch.randn(8, 10)
    torch.testing.assert_close(kd(student + 5, teacher), kd(student, teacher))


def test_the_gradient_keeps_its_size_as_the_temperature_grows():
    """That is what T squared is for: at high T the gradient tends to (z_s - z_t) / classes / images."""
    student, teacher = torch.randn(4, 10).requires_grad_(), torch.randn(4, 10)
    kd(student, teacher, 1000.0).backward()
    gap = (student - student.mean(1, keepdim=True)) - (teacher - teacher.mean(1, keepdim=True))
    torch.testing.assert_close(student.grad, gap.detach() / 10 / 4, atol=2e-4, rtol=2e-2)


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_of_zero_or_less_is_refused(temperature: float):
    with pytest.raises(
        InputError, match="`temperature` must be above 0; found .*; the usual one of `kd` is 4"
    ):
        KnowledgeDistillation(temperature)
