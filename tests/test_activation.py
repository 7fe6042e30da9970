"""Activation maps by hand and place by place."""

import numpy as np
import torch

from pursuhint.activation import activation_map


def test_maps_are_the_mean_of_squares_place_by_place():
    output = torch.randn(2, 5, 3, 4)
    found = activation_map(output)
    assert found.shape == (2, 3, 4)
    for image, row, column in np.ndindex(2, 3, 4):
        expected = sum(float(output[image, c, row, column]) ** 2 for c in range(5)) / 5
        np.testing.assert_allclose(found[image, row, column], expected, rtol=1e-6)


def test_tokens_are_laid_out_without_those_that_stand_for_no_place():
    tokens = torch.zeros(1, 1 + 9, 4)
    tokens[0, 0] = 100.0  # the class token
    tokens[0, 1 + 5] = 2.0  # second row, third place
    expected = torch.zeros(1, 3, 3)
    expected[0, 1, 2] = 4.0
    torch.testing.assert_close(activation_map(tokens, prefix=1), expected)
    assert activation_map(tokens[:, :6], prefix=1).shape == (1, 1, 5)  # no square: one row


def test_rows_know_no_places():
    assert activation_map(torch.randn(2, 8)) is None
