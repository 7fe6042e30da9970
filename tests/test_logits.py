"""Outputs that are no logits are refused in words wherever a network is run."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pursuhint.data import load_data
from pursuhint.errors import InputError
from pursuhint.losses import Batch
from pursuhint.losses.cross_entropy import CrossEntropy
from pursuhint.preprocess import KNOWN
from pursuhint.teacher import logits_of
from pursuhint.training.distiller import Distiller, run_network


class Answering(nn.Module):
    """Gives logits in eval mode, and in train mode something else."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.head, self.how = nn.Linear(3, 10), how

    def forward(self, x: torch.Tensor) -> object:
        logits = self.head(x.mean(dim=(2, 3)))
        other = {"tuple": (logits, logits), "one row": logits[:1], "map": logits[..., None]}
        return other[self.how] if self.training else logits


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ("tuple", "`tuple`"),
        ("one row", r"a tensor of shape \(1, 10\) for 4 images"),
        ("map", r"a tensor of shape \(4, 10, 1\) for 4 images"),
    ],
)
def test_a_student_that_answers_otherwise_in_train_mode_is_refused(how: str, found: str):
    distiller = Distiller(Answering(how), [CrossEntropy()])
    batch = Batch(torch.randn(4, 3, 8, 8), torch.arange(4), torch.arange(4))
    distiller.prepare(batch, None)
    message = f"^a classifier gives one row of logits for each image; this network gives {found} .*choose"
    with pytest.raises(InputError, match=message):
        distiller.train()(batch, None)
    assert run_network(distiller.student.eval(), batch.images, []).logits.shape == (4, 10)


def test_a_network_that_is_scored_must_give_logits():
    class Both(Answering):
        def forward(self, x: torch.Tensor) -> object:
            return (super().forward(x),)

    with pytest.raises(InputError, match="one row of logits for each image; this network gives `tuple`"):
        logits_of(Both("tuple"), load_data("digits").test, KNOWN["digits"])
