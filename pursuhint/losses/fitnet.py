"""FitNets' hint: the student's features, through a regressor, equal the teacher's."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from pursuhint.errors import InputError
from pursuhint.losses.adapters import build_adapter, meet
from pursuhint.losses.base import Batch, Outputs, TrainingImages, full_precision
from pursuhint.losses.hint import HintLoss
from pursuhint.pairs import Pair


class FitNet(HintLoss):
    """Mean squared error between the hint and the guided layer's regressed features, per pair.

    The regressor is a 1x1 convolution to the teacher's width followed by batch norm, present even at equal
    widths (without it the student must copy the teacher's channel order). The larger map is average-pooled to
    the smaller grid first. Regressors are trained with the student and dropped at export.

    Args:
        pairs: hint points and guided layers.

    Source:
        Romero et al. (2015), arXiv 1412.6550, L_HT. Differs from the paper in training hints and labels in
        one stage.
    """

    name = "fitnet"
    reduction = "mean over images, channels and positions"

    def __init__(self, pairs: Sequence[Pair]) -> None:
        super().__init__(pairs)
        self.regressors = nn.ModuleList()

    def prepare(self, student: Outputs, teacher: Outputs, images: TrainingImages | None = None) -> None:
        """Build one regressor a pair from the shapes of the two layers."""
        super().prepare(student, teacher, images)
        for pair in self.pairs:
            guided, hint = student.features[pair.guided], teacher.features[pair.hint]
            self.regressors.append(build_adapter(guided.shape[1:], hint.shape[1:], self.name))

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return the hint point's features in the form and on the grid in which the pair meets."""
        return meet(hint, self.adapters[pair.name], pair.hint)

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared error of the regressed features.

        Raises:
            InputError: a single number a channel, which batch norm makes zero.
        """
        features = meet(guided, self.adapters[pair.name], pair.guided)
        if self.adapters[pair.name].form != "tokens" and features.numel() == features.shape[1]:
            raise InputError(
                f"the regressor of the pair `{pair.name}` normalises over images and positions and needs at "
                "least 2 of them; found 1 image with 1 position; take a larger batch"
            )
        return functional.mse_loss(self.regressors[self.pairs.index(pair)](features), full_precision(target))
