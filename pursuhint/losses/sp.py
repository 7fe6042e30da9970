"""Similarity-preserving distillation: images that are alike to the teacher are alike to the student."""

from __future__ import annotations

from torch import Tensor

from pursuhint.losses.base import Batch, full_precision
from pursuhint.losses.hint import HintLoss
from pursuhint.losses.rows import require_several, unit
from pursuhint.pairs import Pair


class SimilarityPreserving(HintLoss):
    """Mean squared difference of the row-normalised similarities of the batch's images, per pair.

    The features of a batch, flattened to X of shape (n, everything), give the matrix X X^T of inner products,
    each row of which is scaled to length 1; the loss is the sum of the squared differences, divided by n^2.
    Shapes may differ in every way. The target of an image is all of its features.

    Args:
        pairs: hint points and guided layers.

    Source:
        Tung and Mori (2019), arXiv 1907.09682, the loss L_SP.
    """

    name = "sp"
    reduction = "mean over pairs of images"
    across_images = True

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return the flattened features, shape (n, everything)."""
        return hint.flatten(1)

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared difference of the similarities.

        Raises:
            InputError: a single image.
        """
        require_several(guided, self.name)
        return (similarities(guided.flatten(1)) - similarities(target)).square().mean()


def similarities(rows: Tensor) -> Tensor:
    """Return the inner products of all pairs of rows, each line of length 1.

    Args:
        rows: shape (n, features).

    Returns:
        shape (n, n), float32.
    """
    rows = full_precision(rows)
    return unit(rows @ rows.T)
