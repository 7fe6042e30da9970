"""What is said of the size of kept targets before anything is built is what the losses then ask for."""

from __future__ import annotations

import pytest
import torch

from pursuhint.losses import HINT_LOSSES, Outputs, TrainingImages
from pursuhint.pairs import Pair
from pursuhint.training.target_size import target_shapes

MAPS, TOKENS, ROWS = (6, 8, 8), (17, 12), (9,)


@pytest.mark.parametrize("loss", sorted(HINT_LOSSES))
@pytest.mark.parametrize("guided", [(4, 4, 4), TOKENS, ROWS], ids=["map", "tokens", "row"])
def test_the_shapes_are_those_of_the_losses_own_targets(loss: str, guided: tuple[int, ...]):
    hints = {"a": MAPS, "b": TOKENS, "c": ROWS}
    if loss in ("at", "nst", "at+crd"):  # maps alone
        hints, guided = {"a": MAPS, "b": TOKENS}, guided if len(guided) > 1 else MAPS
    pairs = [Pair(hint, "s") for hint in hints]
    logits = torch.zeros(6, 5)
    student = Outputs(logits, {"s": torch.randn(6, *guided)})
    teacher = Outputs(logits, {name: torch.randn(6, *shape) for name, shape in hints.items()})
    made = HINT_LOSSES[loss](pairs)
    made.prepare(student, teacher, TrainingImages(torch.arange(6), torch.arange(6) % 3))
    expected = {name: tuple(target.shape[1:]) for name, target in made.targets(teacher).items()}
    found = target_shapes(pairs, {"s": guided}, hints, loss, classes=5)
    assert found == {"logits": (5,)} | expected


def test_without_hints_the_logits_are_kept():
    assert target_shapes([], {}, {}, "none", classes=7) == {"logits": (7,)}
