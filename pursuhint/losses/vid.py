"""Variational information distillation: the guided layer tells as much of the hint as it can."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pursuhint.losses.adapters import build_adapter, meet
from pursuhint.losses.base import Batch, Outputs, TrainingImages, full_precision
from pursuhint.losses.hint import HintLoss
from pursuhint.pairs import Pair

FIRST_VARIANCE = 5.0
LEAST_VARIANCE = 1e-5


class VariationalInformation(HintLoss):
    """Negative log-likelihood of the hint under a Gaussian that is predicted from the guided layer, per pair.

    Mean over images, channels and positions of ((h - mu(g))^2 / variance + log variance) / 2. The mean mu is
    regressed by three 1x1 convolutions with ReLU between them; each channel of the hint has a variance of its
    own, softplus(a) + 1e-5, which starts at 5. Regressors and variances are trained with the student and
    dropped at export. The value may be negative: a well predicted hint has a high density.

    Args:
        pairs: hint points and guided layers.

    Source:
        Ahn et al. (2019), arXiv 1904.05835, the Gaussian with one variance a channel, without the constant
        log(2 pi) / 2. Regressor and start are those of RepDistiller; the softplus here cannot overflow.
    """

    name = "vid"
    reduction = "mean over images, channels and positions"

    def __init__(self, pairs: Sequence[Pair]) -> None:
        super().__init__(pairs)
        self.regressors = nn.ModuleList()
        self.variances = nn.ParameterList()

    def prepare(self, student: Outputs, teacher: Outputs, images: TrainingImages | None = None) -> None:
        """Build one regressor and one variance a channel for every pair."""
        super().prepare(student, teacher, images)
        start = math.log(math.expm1(FIRST_VARIANCE - LEAST_VARIANCE))
        for pair in self.pairs:
            guided, hint = student.features[pair.guided], teacher.features[pair.hint]
            self.regressors.append(build_adapter(guided.shape[1:], hint.shape[1:], self.name))
            width = self.adapters[pair.name].widths[1]
            self.variances.append(nn.Parameter(torch.full((width,), start)))

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return the hint point's features in the form and on the grid in which the pair meets."""
        return meet(hint, self.adapters[pair.name], pair.hint)

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the mean negative log-likelihood."""
        index, adapter = self.pairs.index(pair), self.adapters[pair.name]
        error = full_precision(target) - self.regressors[index](meet(guided, adapter, pair.guided))
        if adapter.form == "maps":
            error = error.movedim(1, -1)
        variance = functional.softplus(self.variances[index]) + LEAST_VARIANCE
        return 0.5 * (error.square() / variance + variance.log()).mean()
