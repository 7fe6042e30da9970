"""Which student is kept: scored after every epoch, the best one so far; or an average of the weights."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pursuhint.progress import Progress, silent
from pursuhint.teacher import Score, score
from pursuhint.training.prepare import Parts
from pursuhint.training.settings import RunSettings


class Selection:
    """The best epoch so far.

    Args:
        settings: say on which part the best epoch is chosen.
        parts: of the run.

    Attributes:
        best_accuracy: on the selecting part.
        best_epoch: counted from 0; -1 before the first.
        best: state of that epoch's student, on the CPU.
    """

    def __init__(self, settings: RunSettings, parts: Parts) -> None:
        self.rule, self._parts = settings.select, parts
        self.best_accuracy, self.best_epoch = -1.0, -1
        self.best: dict[str, Tensor] = {}

    def after_epoch(self, student: nn.Module, epoch: int, *, progress: Progress = silent) -> dict[str, float]:
        """Score a student, keep its weights if it is the best so far, and return what is to be recorded."""
        validation = self._score(student, "validation", progress)
        figures = {
            "validation_accuracy": validation.accuracy,
            "validation_cross_entropy": validation.cross_entropy,
        }
        accuracy = validation.accuracy
        if self.rule == "test":
            accuracy = figures["test_accuracy"] = self._score(student, "test", progress).accuracy
        if accuracy > self.best_accuracy:
            self.best_accuracy, self.best_epoch = accuracy, epoch
            self.best = {name: value.to("cpu", copy=True) for name, value in student.state_dict().items()}
        return figures

    def final(self, last: nn.Module, student: nn.Module, *, progress: Progress = silent) -> dict[str, Any]:
        """Give the student the best weights, and return how well the last and the best do.

        Args:
            last: the student that was scored last.
            student: takes the best weights, in float32.
            progress: is told after every batch of images.
        """
        last_score = self._score(last, "test", progress)
        student.float().load_state_dict(self.best)
        best = self._score(student, "test", progress)
        on_validation = self.rule == "validation"
        return {
            "test_accuracy": best.accuracy,
            "test_accuracy_last": last_score.accuracy,
            "n_test": best.n,
            "best_epoch": self.best_epoch + 1,
            "validation_accuracy": (
                self.best_accuracy if on_validation else self._score(student, "validation", progress).accuracy
            ),
            "selection": self.rule,
        }

    def _score(self, student: nn.Module, split: str, progress: Progress) -> Score:
        return score(student, self._parts.data.split(split), self._parts.preprocess, progress=progress)


def average_weights(student: nn.Module, decay: float) -> AveragedModel:
    """Start a running average of a student's parameters and buffers; see its ``update_parameters``.

    Args:
        student: is copied.
        decay: what is kept of the average at every step; the first step is taken as it is.
    """
    return AveragedModel(student, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
