from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from pursuhint.errors import InputError
from pursuhint.losses import Batch, Outputs
from pursuhint.losses.cross_entropy import CrossEntropy


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor, smoothing: float) -> float:
    batch = Batch(torch.zeros(len(logits), 1), labels, labels)
    return CrossEntropy(smoothing)(Outputs(logits), None, batch)["cls"].item()


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_it_is_minus_the_smoothed_labels_times_the_log_probabilities(smoothing: float):
    logits, labels = 3 * torch.randn(7, 5), torch.randint(5, (7,))
    smoothed = (1 - smoothing) * np.eye(5)[labels] + smoothing / 5
    expected = -(smoothed * log_softmax(logits.double().numpy(), axis=1)).sum(axis=1).mean()
    assert cross_entropy(logits, labels, smoothing) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [-0.1, 1, float("nan")])
def test_smoothing_outside_its_range_is_refused(smoothing: float):
    with pytest.raises(
        InputError, match="`label_smoothing` must be from 0 to below 1; found .*; 0.1 is usual"
    ):
        CrossEntropy(smoothing)
