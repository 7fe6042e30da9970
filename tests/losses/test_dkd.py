from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax

from pursuhint.losses import Batch, Outputs
from pursuhint.losses.dkd import DecoupledKnowledgeDistillation, split_classes
from pursuhint.losses.kd import KnowledgeDistillation


def dkd(student, teacher, labels, temperature=4.0, **weights) -> torch.Tensor:
    batch = Batch(torch.zeros(len(student), 1), labels, labels)
    loss = DecoupledKnowledgeDistillation(temperature, **weights)
    return loss(Outputs(student), Outputs(teacher), batch)["logit"]


def by_numpy(student, teacher, labels, temperature: float, alpha: float, beta: float) -> float:
    """The paper's formula on probabilities in float64, one image at a time."""
    values = []
    for z_s, z_t, label in zip(student.double().numpy(), teacher.double().numpy(), labels, strict=True):
        p_s, p_t = softmax(z_s / temperature), softmax(z_t / temperature)
        b_s, b_t = (np.array([p[label], 1 - p[label]]) for p in (p_s, p_t))
        rest_s, rest_t = (np.delete(p, int(label)) for p in (p_s, p_t))
        hat_s, hat_t = rest_s / rest_s.sum(), rest_t / rest_t.sum()
        tckd, nckd = np.sum(b_t * np.log(b_t / b_s)), np.sum(hat_t * np.log(hat_t / hat_s))
        values.append(temperature**2 * (alpha * tckd + beta * nckd))
    return float(np.mean(values))


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
@pytest.mark.parametrize(
    ("temperature", "alpha", "beta"), [(4.0, 1.0, 8.0), (1.0, 0.5, 2.0), (2.0, 0.0, 1.0)]
)
def test_it_is_the_formula_on_probabilities(classes: int, temperature: float, alpha: float, beta: float):
    student, teacher = 2 * torch.randn(9, classes), 2 * torch.randn(9, classes)
    labels = torch.randint(classes, (9,))
    expected = by_numpy(student, teacher, labels, temperature, alpha, beta)
    found = dkd(student, teacher, labels, temperature, alpha=alpha, beta=beta)
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_value_by_hand():
    """Teacher (1/2, 1/4, 1/4), student a third each, T = 1: the others agree, the label's class does not."""
    teacher = torch.tensor([[2.0, 1.0, 1.0]]).log()
    expected = 0.5 * math.log(0.5 / (1 / 3)) + 0.5 * math.log(0.5 / (2 / 3))
    found = dkd(torch.zeros(1, 3), teacher, torch.tensor([0]), 1.0)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_kd_is_its_sum_with_the_weight_that_silences_the_others():
    """Zhao et al., eq. 6: KD = TCKD + (1 - p_t(label)) NCKD, for one image."""
    student, teacher, labels = torch.randn(1, 6), torch.randn(1, 6), torch.tensor([2])
    others = 1 - torch.softmax(teacher / 4, dim=1)[0, 2].item()
    plain = KnowledgeDistillation(4.0)(Outputs(student), Outputs(teacher), None)["logit"]
    torch.testing.assert_close(dkd(student, teacher, labels, beta=others), plain, rtol=1e-4, atol=1e-6)


def test_the_classes_keep_their_order_when_the_label_is_taken_out():
    logits = torch.arange(12.0).reshape(3, 4)
    pair, others = split_classes(logits, torch.tensor([0, 2, 3]))
    assert others.tolist() == [[1, 2, 3], [4, 5, 7], [8, 9, 10]]
    torch.testing.assert_close(pair.exp().sum(1), torch.ones(3))


def test_a_probability_that_underflows_has_a_finite_logarithm():
    """The code in common use takes log(softmax(...)), which is -inf here."""
    student, teacher = torch.tensor([[-1e4, 0.0, 0.0]]).requires_grad_(), torch.tensor([[5.0, 0.0, 0.0]])
    assert torch.softmax(student, dim=1)[0, 0] == 0
    loss = dkd(student, teacher, torch.tensor([0]), 1.0)
    loss.backward()
    p_t = math.exp(5) / (math.exp(5) + 2)
    assert loss.item() == pytest.approx(p_t * 1e4, rel=1e-3)
    assert student.grad[0, 0].item() == pytest.approx(-p_t, rel=1e-3)
