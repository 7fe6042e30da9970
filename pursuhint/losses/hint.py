"""What all hint losses share: pairs, what is needed of the teacher, one value a pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from pursuhint.adapters import Adapter, describe_adapters
from pursuhint.losses.base import Batch, Loss, Outputs, TrainingImages
from pursuhint.pairs import Pair


class HintLoss(Loss):
    """L_hint: one value a pair, each comparing a guided layer with what `target` makes of its hint point.

    A subclass has a `name`, a row of `pursuhint.catalogue.HINT_FACTS`. It says in `target` what it needs of a
    hint point's output, as little as possible and image by image, because targets may be kept on disk; and
    in `compare` what it makes of them. `adapters` says how the two layers of a pair meet, once `prepare` has
    seen them.

    Args:
        pairs: hint points and guided layers.
    """

    term = "hint"
    name: ClassVar[str]

    def __init__(self, pairs: Sequence[Pair]) -> None:
        super().__init__()
        self.pairs = tuple(pairs)
        self.adapters: dict[str, Adapter] = {}

    def prepare(self, student: Outputs, teacher: Outputs, images: TrainingImages | None = None) -> None:
        """Settle how the layers of each pair meet; see `Loss.prepare`.

        Raises:
            InputError: the layers of a pair cannot be compared by this loss.
        """
        guided = {pair.guided: student.features[pair.guided].shape[1:] for pair in self.pairs}
        hints = {pair.hint: teacher.features[pair.hint].shape[1:] for pair in self.pairs}
        described = describe_adapters(self.pairs, guided, hints, self.name)
        self.adapters = {pair.name: adapter for pair, adapter in zip(self.pairs, described, strict=True)}

    def part(self, pair: Pair) -> str:
        """Return what stands before ``/`` in the name of a pair's value: the term, or a part of it."""
        return self.term

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return what is needed of a hint point's output; row i depends on image i alone."""
        return hint

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the loss of a pair, a scalar, from the guided layer's output and the `target`."""
        raise AssertionError("a hint loss defines `compare`")

    def targets(self, teacher: Outputs) -> dict[str, Tensor]:
        """Return pair name -> `target` of the teacher's outputs."""
        return {pair.name: self.target(pair, teacher.features[pair.hint]) for pair in self.pairs}

    def forward(self, student: Outputs, teacher: Outputs | None, batch: Batch) -> dict[str, Tensor]:
        """Return one scalar a pair; the teacher's `targets` are taken where they are given."""
        targets = teacher.targets or self.targets(teacher)
        return {
            f"{self.part(pair)}/{pair.name}": self.compare(
                pair, student.features[pair.guided], targets[pair.name], batch
            )
            for pair in self.pairs
        }
