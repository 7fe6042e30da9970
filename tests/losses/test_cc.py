from __future__ import annotations

import numpy as np
import pytest
import torch

from pursuhint.errors import InputError
from pursuhint.losses.cc import CorrelationCongruence
from tests.losses.one_pair import prepared, value


def test_it_is_what_numpy_gives():
    guided, hint = torch.randn(5, 4, 3, 3), torch.randn(5, 6)
    loss = prepared(CorrelationCongruence, guided, hint)
    weights = {name: p.detach().double().numpy() for name, p in loss.embeddings[0].named_parameters()}
    s = guided.double().numpy().mean(axis=(2, 3)) @ weights["student.weight"].T + weights["student.bias"]
    t = hint.double().numpy() @ weights["teacher.weight"].T + weights["teacher.bias"]
    off = np.abs(s - t)
    expected = sum(float(off[i] @ off[i + 1]) for i in range(4)) / 4
    assert value(loss, guided, hint).item() == pytest.approx(expected, rel=1e-4)


def test_a_value_by_hand():
    """Embeddings of 0 for the student and of i + 1 in all 128 numbers for the teacher: 1 * 2 and 2 * 3."""
    guided, hint = torch.ones(3, 2), torch.tensor([[1.0], [2.0], [3.0]])
    loss = prepared(CorrelationCongruence, guided, hint)
    with torch.no_grad():
        for p in loss.parameters():
            p.zero_()
        loss.embeddings[0]["teacher"].weight.fill_(1)
    assert value(loss, guided, hint).item() == pytest.approx(128 * (2 + 6) / 2)


def test_reversing_the_batch_changes_nothing_but_another_order_does():
    guided, hint = torch.randn(6, 4), torch.randn(6, 5) * torch.arange(1.0, 7)[:, None]
    loss = prepared(CorrelationCongruence, guided, hint)
    expected = value(loss, guided, hint)
    torch.testing.assert_close(value(loss, guided.flip(0), hint.flip(0)), expected)
    order = torch.tensor([5, 0, 4, 1, 3, 2])
    assert abs(value(loss, guided[order], hint[order]) - expected) > 1e-2


def test_one_image_has_no_neighbour():
    with pytest.raises(InputError, match="the hint loss `cc` compares .* needs at least 2; found 1"):
        value(prepared(CorrelationCongruence, torch.randn(1, 4), torch.randn(1, 4)), *torch.randn(2, 1, 4))
