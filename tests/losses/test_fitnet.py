from __future__ import annotations

import pytest
import torch

from pursuhint.losses import Outputs
from pursuhint.losses.fitnet import FitNet
from pursuhint.pairs import Pair

PAIRS = (Pair("t1", "s1"), Pair("t2", "s2"))
STUDENT = {"s1": (4, 8, 8), "s2": (6, 4, 4)}
TEACHER = {"t1": (16, 8, 8), "t2": (6, 8, 8)}


def outputs(shapes: dict[str, tuple[int, ...]], n: int = 5) -> Outputs:
    return Outputs(torch.zeros(n, 2), {name: torch.randn(n, *shape) for name, shape in shapes.items()})


@pytest.fixture
def loss() -> FitNet:
    made = FitNet(PAIRS)
    made.prepare(outputs(STUDENT), outputs(TEACHER))
    return made


def test_one_regressor_a_pair_from_guided_to_hint_width(loss: FitNet):
    convolutions = [regressor[0] for regressor in loss.regressors]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [(4, 16), (6, 6)]
    assert [c.kernel_size for c in convolutions] == [(1, 1), (1, 1)]
    assert sum(p.numel() for p in loss.parameters()) == 4 * 16 + 2 * 16 + 6 * 6 + 2 * 6


def test_it_is_the_mean_squared_error_of_the_normalised_projection(loss: FitNet):
    student, teacher = outputs(STUDENT), outputs(TEACHER)
    named = loss(student, teacher, None)
    assert list(named) == ["hint/t1->s1", "hint/t2->s2"]
    projected = torch.einsum("nchw,kc->nkhw", student.features["s1"], loss.regressors[0][0].weight[..., 0, 0])
    mean = projected.mean(dim=(0, 2, 3), keepdim=True)
    variance = projected.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
    expected = ((projected - mean) / (variance + 1e-5).sqrt() - teacher.features["t1"]).square().mean()
    torch.testing.assert_close(named["hint/t1->s1"], expected)


def test_the_larger_map_is_averaged_down(loss: FitNet):
    student, teacher = outputs(STUDENT), outputs(TEACHER)
    pooled = teacher.features["t2"].reshape(5, 6, 4, 2, 4, 2).mean(dim=(3, 5))
    small = Outputs(teacher.logits, teacher.features | {"t2": pooled})
    torch.testing.assert_close(
        loss(student, teacher, None)["hint/t2->s2"], loss(student, small, None)["hint/t2->s2"]
    )


def test_the_gradient_reaches_student_and_regressor_but_not_the_teacher(loss: FitNet):
    student, teacher = outputs(STUDENT), outputs(TEACHER)
    for features in (student.features, teacher.features):
        for tensor in features.values():
            tensor.requires_grad_()
    detached = Outputs(teacher.logits, {k: v.detach() for k, v in teacher.features.items()})
    sum(loss(student, detached, None).values()).backward()
    assert all(tensor.grad.abs().sum() > 0 for tensor in student.features.values())
    assert all(p.grad is not None for p in loss.parameters())
