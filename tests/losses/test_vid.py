from __future__ import annotations

import math

import pytest
import torch

from pursuhint.losses.vid import LEAST_VARIANCE, VariationalInformation
from tests.losses.one_pair import fresh, prepared, value


def test_it_is_the_gaussian_negative_log_likelihood():
    """Against torch's own distribution, channel by channel, without the constant."""
    guided, hint = torch.randn(3, 4, 2, 2), torch.randn(3, 5, 2, 2)
    loss = prepared(VariationalInformation, guided, hint)
    with torch.no_grad():
        loss.variances[0].copy_(torch.linspace(-2, 3, 5))
    mean = guided
    for layer in loss.regressors[0]:
        if isinstance(layer, torch.nn.Conv2d):
            mean = torch.einsum("nchw,kc->nkhw", mean, layer.weight[..., 0, 0])
        else:
            mean = mean.clamp(min=0)
    scale = (torch.log1p(loss.variances[0].exp()) + LEAST_VARIANCE).sqrt()[:, None, None]
    expected = -torch.distributions.Normal(mean, scale).log_prob(hint).mean() - math.log(2 * math.pi) / 2
    torch.testing.assert_close(value(loss, guided, hint), expected)


def test_a_value_by_hand():
    """A mean of zero, variance 5 and a hint of 2 everywhere: (4 / 5 + log 5) / 2."""
    guided, hint = torch.zeros(2, 3, 4, 4), torch.full((2, 6, 4, 4), 2.0)
    assert fresh(VariationalInformation, guided, hint).item() == pytest.approx((4 / 5 + math.log(5)) / 2)


def test_a_variance_never_overflows():
    """softplus(200) is 200; log(1 + exp(200)) overflows in float32."""
    guided, hint = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    loss = prepared(VariationalInformation, guided, hint)
    for start in (200.0, -200.0):
        with torch.no_grad():
            loss.variances[0].fill_(start)
        loss.zero_grad()
        found = value(loss, guided, hint)
        found.backward()
        assert torch.isfinite(found)
        assert all(torch.isfinite(p.grad).all() for p in loss.parameters())


def test_each_channel_of_the_hint_has_a_variance_of_its_own_and_a_regressor_leads_to_it():
    loss = prepared(VariationalInformation, torch.randn(2, 4, 8, 8), torch.randn(2, 6, 4, 4))
    assert [tuple(p.shape) for p in loss.variances] == [(6,)]
    widths = [(m.in_channels, m.out_channels) for m in loss.regressors[0] if hasattr(m, "in_channels")]
    assert widths == [(4, 6), (6, 6), (6, 6)]


def test_the_order_of_the_images_does_not_matter_but_that_of_the_hints_channels_does():
    guided, hint = torch.randn(4, 3, 2, 2), torch.randn(4, 5, 2, 2) * torch.arange(1.0, 6).view(5, 1, 1)
    loss, order = prepared(VariationalInformation, guided, hint), torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        loss.variances[0].copy_(torch.linspace(-2, 3, 5))
    torch.testing.assert_close(value(loss, guided[order], hint[order]), value(loss, guided, hint))
    assert abs(value(loss, guided, hint.flip(1)) - value(loss, guided, hint)) > 0.1
