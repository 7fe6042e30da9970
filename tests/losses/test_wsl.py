from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax

from pursuhint.losses import Batch, Outputs
from pursuhint.losses.kd import KnowledgeDistillation
from pursuhint.losses.wsl import WeightedSoftLabels, image_weights


def wsl(
    student: torch.Tensor, teacher: torch.Tensor, labels: torch.Tensor, temperature: float
) -> torch.Tensor:
    batch = Batch(torch.zeros(len(student), 1), labels, labels)
    return WeightedSoftLabels(temperature)(Outputs(student), Outputs(teacher), batch)["logit"]


@pytest.mark.parametrize("classes", [2, 10, 37])
@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
def test_it_is_the_formula_image_by_image(classes: int, temperature: float):
    student, teacher = 3 * torch.randn(12, classes), 3 * torch.randn(12, classes)
    labels = torch.randint(classes, (12,))
    z_s, z_t = student.double().numpy(), teacher.double().numpy()
    values = []
    for i, label in enumerate(labels):
        weight = 1 - math.exp(-(log_softmax(z_s[i])[label] / log_softmax(z_t[i])[label]))
        p_t, p_s = softmax(z_t[i] / temperature), softmax(z_s[i] / temperature)
        values.append(weight * temperature**2 * np.sum(p_t * np.log(p_t / p_s)))
    assert wsl(student, teacher, labels, temperature).item() == pytest.approx(np.mean(values), rel=1e-4)


def test_a_value_by_hand():
    """Student (3/4, 1/4), teacher (1/4, 3/4), the label is the first class: CE_s = log 4/3, CE_t = log 4."""
    teacher, student = torch.tensor([[0.0, math.log(3)]]), torch.tensor([[math.log(3), 0.0]])
    weight, divergence = 1 - math.exp(-math.log(4 / 3) / math.log(4)), 0.5 * math.log(3)
    assert wsl(student, teacher, torch.tensor([0]), 1.0).item() == pytest.approx(
        weight * divergence, rel=1e-5
    )


def test_images_that_the_student_knows_better_count_less():
    """CE_s below, equal to and above CE_t; and a student that is certain does not count at all."""
    teacher, labels = torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64)
    student = torch.tensor([[50.0, 0, 0], [1.0, 0, 0], [0.0, 0, 0], [-9.0, 0, 0]])
    weights = image_weights(student, teacher, labels)
    assert weights[0] == 0
    assert weights[0] < weights[1] < weights[2] < weights[3] < 1
    assert weights[2].item() == pytest.approx(1 - math.exp(-1), rel=1e-5)


def test_a_certain_teacher_makes_it_plain_kd():
    student, teacher, labels = (
        torch.randn(5, 4),
        torch.full((5, 4), -200.0),
        torch.zeros(5, dtype=torch.int64),
    )
    teacher[:, 0] = 0
    plain = KnowledgeDistillation(2.0)(Outputs(student), Outputs(teacher), None)["logit"]
    torch.testing.assert_close(wsl(student, teacher, labels, 2.0), plain)


def test_no_gradient_flows_through_the_weights():
    student, teacher = torch.randn(6, 4).requires_grad_(), torch.randn(6, 4)
    labels = torch.arange(6) % 4
    wsl(student, teacher, labels, 2.0).backward()
    weights = image_weights(student, teacher, labels)
    assert not weights.requires_grad
    gap = torch.softmax(student / 2, dim=1) - torch.softmax(teacher / 2, dim=1)
    torch.testing.assert_close(student.grad, (2 * weights[:, None] * gap / 6).detach())
