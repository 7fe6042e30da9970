from __future__ import annotations

import pytest
import torch

from pursuhint.errors import InputError
from pursuhint.losses.cka import CentredKernelAlignment, linear_cka
from tests.losses.one_pair import fresh


def test_it_is_one_minus_hsic_of_the_gram_matrices():
    """The definition, by n x n matrices in float64: tr(K H L H) / sqrt(tr(K H K H) tr(L H L H))."""
    guided, hint = torch.randn(8, 5), torch.randn(8, 20)
    centring = torch.eye(8, dtype=torch.float64) - 1 / 8

    def hsic(first: torch.Tensor, second: torch.Tensor) -> float:
        k, l = (x.double() @ x.double().T for x in (first, second))  # noqa: E741
        return torch.trace(k @ centring @ l @ centring).item()

    expected = 1 - hsic(guided, hint) / (hsic(guided, guided) * hsic(hint, hint)) ** 0.5
    assert fresh(CentredKernelAlignment, guided, hint).item() == pytest.approx(expected, rel=1e-4)


def test_a_value_by_hand():
    """One number an image, (1, -1, 0) and (1, 1, -2): at right angles once centred, so 1."""
    guided, hint = torch.tensor([[1.0], [-1], [0]]), torch.tensor([[1.0], [1], [-2]])
    assert fresh(CentredKernelAlignment, guided, hint).item() == pytest.approx(1)
    assert fresh(CentredKernelAlignment, guided, 1 - 4 * guided).item() == pytest.approx(0, abs=1e-6)


def test_rotation_scale_and_shift_change_nothing_but_an_invertible_map_does():
    guided, hint = torch.randn(10, 4), torch.randn(10, 6)
    rotation, _ = torch.linalg.qr(torch.randn(4, 4))
    expected = fresh(CentredKernelAlignment, guided, hint)
    torch.testing.assert_close(fresh(CentredKernelAlignment, 5 * guided @ rotation - 3, hint), expected)
    stretched = guided * torch.tensor([10.0, 1, 1, 1])
    assert abs(fresh(CentredKernelAlignment, stretched, hint) - expected) > 1e-2


@pytest.mark.parametrize("scale", [1e-6, 1e9])
def test_very_small_and_very_large_features_count_the_same(scale: float):
    first, second = torch.randn(6, 4), torch.randn(6, 4)
    torch.testing.assert_close(linear_cka(first * scale, second * scale), linear_cka(first, second))


def test_constant_features_are_like_nothing():
    assert linear_cka(torch.ones(5, 3), torch.randn(5, 3)).item() == 0


@pytest.mark.parametrize("images", [1, 2])
def test_too_few_images_are_refused(images: int):
    with pytest.raises(InputError, match=f"the hint loss `cka` compares .* needs at least 3; found {images}"):
        fresh(CentredKernelAlignment, torch.randn(images, 4), torch.randn(images, 4))
