"""FitNets' hint: the student's features, through a regressor, equal the teacher's."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from pursuhint.losses.base import Batch, Loss, Outputs, as_map, to_smaller_grid
from pursuhint.pairs import Pair


class FitNet(Loss):
    """Mean squared error between the hint and the guided layer's regressed features, per pair.

    The regressor is a 1x1 convolution to the teacher's width followed by batch norm, present even at equal
    widths (without it the student must copy the teacher's channel order). The larger map is average-pooled to
    the smaller grid first. Regressors are trained with the student and dropped at export.

    Args:
        pairs: hint points and guided layers.

    Source:
        Romero et al. (2015), arXiv 1412.6550, eq. 3. Differs from the paper in training hints and labels in
        one stage.
    """

    term = "hint"
    reduction = "mean over images, channels and positions"

    def __init__(self, pairs: Sequence[Pair]) -> None:
        super().__init__()
        self.pairs = tuple(pairs)
        self.regressors = nn.ModuleList()

    def prepare(self, student: Outputs, teacher: Outputs) -> None:
        """Build one regressor a pair from the widths of the two layers."""
        for pair in self.pairs:
            width_in = as_map(student.features[pair.guided], pair.guided).shape[1]
            width_out = as_map(teacher.features[pair.hint], pair.hint).shape[1]
            convolution = nn.Conv2d(width_in, width_out, kernel_size=1, bias=False)
            self.regressors.append(nn.Sequential(convolution, nn.BatchNorm2d(width_out)))

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return one scalar a pair."""
        losses = {}
        for pair, regressor in zip(self.pairs, self.regressors, strict=True):
            guided = as_map(student.features[pair.guided], pair.guided)
            hint = as_map(teacher.features[pair.hint], pair.hint)
            guided, hint = to_smaller_grid(guided, hint)
            losses[f"hint/{pair.name}"] = functional.mse_loss(regressor(guided), hint)
        return losses
