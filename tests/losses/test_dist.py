from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax

from pursuhint.losses import Outputs
from pursuhint.losses.dist import CorrelationDistillation, correlation_distances


def dist(student: torch.Tensor, teacher: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    return CorrelationDistillation(temperature)(Outputs(student), Outputs(teacher), None)["logit"]


@pytest.mark.parametrize(("images", "classes"), [(2, 3), (16, 10), (9, 100)])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_it_is_what_numpys_correlations_give(images: int, classes: int, temperature: float):
    student, teacher = 2 * torch.randn(images, classes), 2 * torch.randn(images, classes)
    y_s, y_t = (softmax(z.double().numpy() / temperature, axis=1) for z in (student, teacher))
    inter = np.mean([1 - np.corrcoef(y_s[i], y_t[i])[0, 1] for i in range(images)])
    intra = np.mean([1 - np.corrcoef(y_s[:, c], y_t[:, c])[0, 1] for c in range(classes)])
    assert dist(student, teacher, temperature).item() == pytest.approx(
        temperature**2 * (inter + intra), rel=1e-4
    )


def test_a_value_by_hand():
    """Two images of two classes, swapped: every correlation is -1, so each mean is 2."""
    teacher = torch.tensor([[3.0, 0.0], [0.0, 3.0]])
    assert dist(teacher.flip(0), teacher).item() == pytest.approx(4)


def test_scale_and_shift_of_a_row_do_not_matter_its_order_does():
    teacher = torch.rand(3, 6)
    torch.testing.assert_close(
        correlation_distances(5 * teacher + 2, teacher), torch.zeros(3), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(correlation_distances(-teacher, teacher), torch.full((3,), 2.0))
    assert (correlation_distances(teacher.flip(1), teacher) > 0.05).all()


def test_another_temperature_is_another_loss():
    """Softmax is no linear map, so sharpening is forgiven only in part."""
    teacher = torch.randn(8, 5)
    assert 0.001 < dist(3 * teacher, teacher).item() < dist(-teacher, teacher).item()


def test_one_image_has_nothing_to_compare_within_a_class():
    student, teacher = torch.randn(1, 7), torch.randn(1, 7)
    y_s, y_t = (softmax(z.double().numpy()[0]) for z in (student, teacher))
    assert dist(student, teacher).item() == pytest.approx(1 - np.corrcoef(y_s, y_t)[0, 1], rel=1e-4)


def test_a_class_that_the_teacher_never_names_is_not_imitated():
    student, teacher = torch.rand(4, 3).requires_grad_(), torch.rand(4, 3)
    teacher[1] = 0.25
    distances = correlation_distances(student, teacher)
    distances.sum().backward()
    assert distances[1] == 0
    assert (student.grad[1] == 0).all()
    assert (student.grad[[0, 2, 3]].abs().sum(1) > 0).all()
