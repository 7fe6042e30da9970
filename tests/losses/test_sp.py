from __future__ import annotations

import numpy as np
import pytest
import torch

from pursuhint.errors import InputError
from pursuhint.losses.sp import SimilarityPreserving
from tests.losses.one_pair import fresh


def by_loops(guided: torch.Tensor, hint: torch.Tensor) -> float:
    """The paper's formula: G = Q Q^T, every row over its length, |G_T - G_S|^2 / b^2."""

    def normalised(features: torch.Tensor) -> np.ndarray:
        rows = [image.double().numpy().ravel() for image in features]
        gram = np.array([[float(a @ b) for b in rows] for a in rows])
        return np.array([row / np.sqrt((row**2).sum()) for row in gram])

    return float(((normalised(hint) - normalised(guided)) ** 2).sum() / len(guided) ** 2)


def test_it_is_what_plain_loops_give():
    guided, hint = torch.randn(5, 4, 3, 3), torch.randn(5, 7, 6, 6)
    assert fresh(SimilarityPreserving, guided, hint).item() == pytest.approx(by_loops(guided, hint), rel=1e-4)


def test_a_value_by_hand():
    """Teacher: two images at right angles, rows (1, 0) and (0, 1). Student: equal images, rows (1, 1)/sqrt 2.

    Each row differs by (1 - 1/sqrt 2)^2 + 1/2 = 2 - sqrt 2; two rows over four pairs.
    """
    found = fresh(SimilarityPreserving, torch.ones(2, 3), torch.eye(2))
    assert found.item() == pytest.approx((2 - 2**0.5) / 2)


def test_a_rotation_of_all_features_and_their_scale_change_nothing():
    guided, hint = torch.randn(6, 8), torch.randn(6, 5)
    rotation, _ = torch.linalg.qr(torch.randn(8, 8))
    expected = fresh(SimilarityPreserving, guided, hint)
    torch.testing.assert_close(fresh(SimilarityPreserving, -3 * guided @ rotation, hint), expected)


def test_a_shift_changes_it():
    guided, hint = torch.randn(6, 8), torch.randn(6, 5)
    assert (
        abs(fresh(SimilarityPreserving, guided + 1, hint) - fresh(SimilarityPreserving, guided, hint)) > 1e-3
    )


def test_one_image_is_refused():
    message = (
        "the hint loss `sp` compares the images of a batch .* needs at least 2; found 1; take a larger batch"
    )
    with pytest.raises(InputError, match=message):
        fresh(SimilarityPreserving, torch.randn(1, 4), torch.randn(1, 4))
