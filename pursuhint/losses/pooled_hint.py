"""What hint losses share that compare the images of a batch with each other."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from pursuhint.losses.base import Batch, full_precision
from pursuhint.losses.hint import HintLoss
from pursuhint.losses.rows import pooled_rows, require_several
from pursuhint.pairs import Pair


class PooledHintLoss(HintLoss):
    """A hint loss that sees a layer as the mean over its positions, and relates the images of a batch.

    A subclass says in `relate` what it makes of the rows of a pair.

    Args:
        pairs: hint points and guided layers.

    Attributes:
        least: images that a batch must have, for the loss to tell anything.
    """

    across_images = True
    least: ClassVar[int] = 2

    def relate(self, pair: Pair, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the loss of a pair, a scalar, from one row an image of either network."""
        raise AssertionError("a pooled hint loss defines `relate`")

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return the mean over positions, shape (n, channels)."""
        return pooled_rows(hint)

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return what `relate` makes of the two layers.

        Raises:
            InputError: fewer images than `least`.
        """
        require_several(guided, self.name, least=self.least)
        return self.relate(pair, pooled_rows(guided), full_precision(target))
