"""FitNets' hint: the student's features, through a regressor, equal the teacher's."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from pursuhint.losses.base import Batch, Outputs, TrainingImages, as_map, smaller_grid, to_grid
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
        Romero et al. (2015), arXiv 1412.6550, eq. 3. Differs from the paper in training hints and labels in
        one stage.
    """

    reduction = "mean over images, channels and positions"

    def __init__(self, pairs: Sequence[Pair]) -> None:
        super().__init__(pairs)
        self.grids: dict[str, tuple[int, int]] = {}
        self.regressors = nn.ModuleList()

    def prepare(self, student: Outputs, teacher: Outputs, images: TrainingImages | None = None) -> None:
        """Build one regressor a pair from the shapes of the two layers."""
        for pair in self.pairs:
            guided = as_map(student.features[pair.guided], pair.guided)
            hint = as_map(teacher.features[pair.hint], pair.hint)
            self.grids[pair.name] = smaller_grid(guided, hint)
            convolution = nn.Conv2d(guided.shape[1], hint.shape[1], kernel_size=1, bias=False)
            self.regressors.append(nn.Sequential(convolution, nn.BatchNorm2d(hint.shape[1])))

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return the hint point's maps on the common grid."""
        return to_grid(as_map(hint, pair.hint), self.grids[pair.name])

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared error of the regressed maps."""
        regressor = self.regressors[self.pairs.index(pair)]
        maps = to_grid(as_map(guided, pair.guided), self.grids[pair.name])
        return functional.mse_loss(regressor(maps), target.float())
