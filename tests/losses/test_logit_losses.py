"""What every logit loss must do, whatever its formula."""

from __future__ import annotations

import pytest
import torch

from pursuhint.errors import InputError
from pursuhint.losses import LOGIT_LOSSES, Batch, Outputs
from pursuhint.training.temperatures import TEMPERATURES, usual_temperature


def value(name: str, student: torch.Tensor, teacher: torch.Tensor, temperature: float | None = None):
    labels = torch.arange(len(student)) % student.shape[1]
    named = LOGIT_LOSSES[name](temperature)(
        Outputs(student), Outputs(teacher), Batch(torch.zeros(len(student), 1), labels, labels)
    )
    assert list(named) == ["logit"]
    return named["logit"]


@pytest.mark.parametrize("name", LOGIT_LOSSES)
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_student_equal_to_teacher_costs_nothing_and_pulls_nowhere(name: str, temperature: float):
    teacher = 5 * torch.randn(8, 10)
    student = teacher.clone().requires_grad_()
    loss = value(name, student, teacher, temperature)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-5)
    assert student.grad.abs().max() < 1e-4


@pytest.mark.parametrize("name", LOGIT_LOSSES)
def test_a_student_that_differs_costs_something_and_learns(name: str):
    """Descent on the logits alone brings the loss to a twentieth."""
    teacher = 3 * torch.randn(6, 5)
    student = torch.randn(6, 5).requires_grad_()
    first = value(name, student, teacher).item()
    optimizer = torch.optim.Adam([student], lr=0.3)
    for _ in range(80):
        optimizer.zero_grad()
        value(name, student, teacher).backward()
        optimizer.step()
    assert first > 0.1
    assert value(name, student, teacher).item() < first / 20


def degenerate(case: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Student and teacher logits that leave something undefined."""
    constant = torch.full((4, 5), 7.0)
    return {
        "one image": (torch.randn(1, 10), torch.randn(1, 10)),
        "two classes": (torch.randn(6, 2), torch.randn(6, 2)),
        "one image of two classes": (torch.randn(1, 2), torch.randn(1, 2)),
        "constant student": (constant, torch.randn(4, 5)),
        "constant teacher": (torch.randn(4, 5), constant),
        "both constant": (constant, constant),
        "identical images": (torch.randn(1, 5).expand(4, 5), torch.randn(1, 5).expand(4, 5)),
        "huge and opposed": (1e4 * torch.eye(5), 1e4 * torch.eye(5).flip(0)),
        "huge student": (1e4 * torch.randn(4, 5), torch.randn(4, 5)),
        "huge teacher": (torch.randn(4, 5), 1e4 * torch.randn(4, 5)),
    }[case]


CASES = [
    "one image",
    "two classes",
    "one image of two classes",
    "constant student",
    "constant teacher",
    "both constant",
    "identical images",
    "huge and opposed",
    "huge student",
    "huge teacher",
]


@pytest.mark.parametrize("name", LOGIT_LOSSES)
@pytest.mark.parametrize("case", CASES)
def test_degenerate_logits_give_a_finite_value_and_gradient(name: str, case: str):
    student, teacher = degenerate(case)
    student = student.clone().requires_grad_()
    loss = value(name, student, teacher)
    loss.backward()
    assert torch.isfinite(loss)
    assert loss >= -1e-6
    assert torch.isfinite(student.grad).all()
    assert student.grad.abs().max() < 1e4


@pytest.mark.parametrize("name", LOGIT_LOSSES)
def test_constant_logits_of_a_student_are_pulled_towards_the_teacher(name: str):
    """The head of some networks starts at zero, and must not stay there or be thrown away."""
    student, teacher = torch.zeros(4, 5).requires_grad_(), torch.randn(4, 5)
    value(name, student, teacher).backward()
    towards = -(student.grad * (teacher - teacher.mean(1, keepdim=True))).sum()
    assert 0.01 < towards < 100


@pytest.mark.parametrize("name", LOGIT_LOSSES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_logits_are_compared_in_float32(name: str, dtype: torch.dtype):
    student, teacher = (3 * torch.randn(8, 10)).to(dtype), (3 * torch.randn(8, 10)).to(dtype)
    loss = value(name, student.requires_grad_(), teacher)
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.equal(loss, value(name, student.float(), teacher.float()))
    assert student.grad.dtype == dtype
    assert torch.isfinite(student.grad).all()


@pytest.mark.parametrize("name", LOGIT_LOSSES)
def test_the_order_of_images_does_not_matter(name: str):
    """Labels follow the images: here every image has the same class."""
    student, teacher, order = torch.randn(8, 3), torch.randn(8, 3), torch.randperm(8)
    loss, labels = LOGIT_LOSSES[name](2.0), torch.zeros(8, dtype=torch.int64)
    batch = Batch(torch.zeros(8, 1), labels, labels)
    given = loss(Outputs(student), Outputs(teacher), batch)["logit"]
    mixed = loss(Outputs(student[order]), Outputs(teacher[order]), batch)["logit"]
    torch.testing.assert_close(mixed, given)


@pytest.mark.parametrize("name", LOGIT_LOSSES)
def test_only_dist_looks_across_images(name: str):
    student, teacher = torch.randn(4, 5), torch.randn(4, 5)
    whole = value(name, student, teacher)
    labels = torch.arange(4)
    loss, one = LOGIT_LOSSES[name](), [slice(i, i + 1) for i in range(4)]
    alone = [
        loss(Outputs(student[i]), Outputs(teacher[i]), Batch(torch.zeros(1, 1), labels[i], labels[i]))[
            "logit"
        ]
        for i in one
    ]
    same = torch.isclose(torch.stack(alone).mean(), whole, rtol=1e-5)
    assert bool(same) != getattr(loss, "across_images", False)
    assert getattr(loss, "across_images", False) == (name == "dist")


@pytest.mark.parametrize("name", LOGIT_LOSSES)
def test_no_temperature_takes_the_usual_one(name: str):
    assert set(TEMPERATURES) == set(LOGIT_LOSSES)
    assert LOGIT_LOSSES[name]().temperature == usual_temperature(name)


@pytest.mark.parametrize("name", LOGIT_LOSSES)
@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_of_zero_or_less_is_refused(name: str, temperature: float):
    with pytest.raises(
        InputError, match=f"`temperature` must be above 0; found .*; the usual one of `{name}` is"
    ):
        LOGIT_LOSSES[name](temperature)
