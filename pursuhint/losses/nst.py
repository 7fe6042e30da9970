"""Neuron selectivity transfer: the student's channels fire where the teacher's channels fire."""

from __future__ import annotations

from torch import Tensor

from pursuhint.losses.adapters import meet
from pursuhint.losses.base import Batch, full_precision
from pursuhint.losses.hint import HintLoss
from pursuhint.losses.rows import unit
from pursuhint.pairs import Pair


class NeuronSelectivity(HintLoss):
    """Squared maximum mean discrepancy between the two layers' channels, image by image, per pair.

    Each channel's map, scaled to length 1, is a sample; the kernel is (x . y)^2. The larger map is
    average-pooled to the smaller grid first; channels need not match. The target of an image is its scaled
    maps.

    Args:
        pairs: hint points and guided layers.

    Source:
        Huang and Wang (2017), arXiv 1707.01219, with the polynomial kernel of degree 2 and constant 0.
    """

    name = "nst"
    reduction = "mean over images and pairs of channels"

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return the scaled maps, shape (n, channels, height * width)."""
        return selectivity(meet(hint, self.adapters[pair.name], pair.hint))

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared discrepancy."""
        student, teacher = (
            selectivity(meet(guided, self.adapters[pair.name], pair.guided)),
            full_precision(target),
        )
        return (
            mean_kernel(teacher, teacher) + mean_kernel(student, student) - 2 * mean_kernel(student, teacher)
        )


def selectivity(maps: Tensor) -> Tensor:
    """Return every channel's map at length 1.

    Args:
        maps: shape (n, channels, height, width).

    Returns:
        shape (n, channels, height * width); a channel that is zero everywhere stays zero.
    """
    return unit(maps.flatten(2))


def mean_kernel(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean of (x . y)^2 over images, channels x of the first and y of the second.

    Args:
        first: shape (n, channels, positions).
        second: shape (n, other channels, positions).

    Example:
        >>> import torch
        >>> mean_kernel(torch.ones(1, 1, 2), torch.ones(1, 3, 2))
        tensor(4.)
    """
    channels, others, positions = first.shape[1], second.shape[1], first.shape[2]
    if positions**2 >= channels * others:
        return (first @ second.mT).square().mean()
    # Wide layers on a small grid: |A B^T|^2 = <A^T A, B^T B>, which needs no matrix of all pairs of channels.
    product = (first.mT @ first) * (second.mT @ second)
    return product.sum(dim=(1, 2)).mean() / (channels * others)
