from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch.nn import functional

from pursuhint.errors import InputError
from pursuhint.losses import HINT_LOSSES, LOGIT_LOSSES, TERMS, Batch, Outputs, build_losses
from pursuhint.losses.base import as_map, smaller_grid, to_grid
from pursuhint.losses.cross_entropy import CrossEntropy
from pursuhint.pairs import Pair
from pursuhint.training.settings import HintLoss, LogitLoss

PAIRS = (Pair("t", "s"),)


def example(dtype: torch.dtype = torch.float32) -> tuple[Outputs, Outputs, Batch]:
    student = Outputs(torch.randn(4, 3, dtype=dtype), {"s": torch.randn(4, 2, 6, 6, dtype=dtype)})
    teacher = Outputs(torch.randn(4, 3, dtype=dtype), {"t": torch.randn(4, 5, 3, 3, dtype=dtype)})
    return student, teacher, Batch(torch.zeros(4, 3, 8, 8), torch.tensor([0, 1, 2, 0]), torch.arange(4))


def test_the_settings_offer_the_losses_that_there_are():
    assert set(get_args(HintLoss)) == {*HINT_LOSSES, "none"}
    assert set(get_args(LogitLoss)) == {*LOGIT_LOSSES, "none"}


@pytest.mark.parametrize("hint", [*HINT_LOSSES, "none"])
@pytest.mark.parametrize("logit", [*LOGIT_LOSSES, "none"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_loss_names_its_term_and_is_a_finite_float32_scalar(hint: str, logit: str, dtype: torch.dtype):
    losses = build_losses(hint_loss=hint, logit_loss=logit, pairs=PAIRS)
    student, teacher, batch = example(dtype)
    terms = ["cls"] + ["logit"] * (logit != "none") + ["hint"] * (hint != "none")
    assert [loss.term for loss in losses] == terms
    assert set(terms) <= set(TERMS)
    for loss in losses:
        loss.prepare(student, teacher)
        for name, value in loss(student, teacher, batch).items():
            assert name.partition("/")[0] == loss.term
            assert value.shape == ()
            assert value.dtype == torch.float32
            assert torch.isfinite(value)
            assert value >= 0


@pytest.mark.parametrize("name", HINT_LOSSES)
def test_half_precision_features_give_nearly_the_same(name: str):
    student, teacher, batch = example()
    loss = HINT_LOSSES[name](PAIRS)
    loss.prepare(student, teacher)
    half = [Outputs(o.logits, {k: v.bfloat16() for k, v in o.features.items()}) for o in (student, teacher)]
    exact, rounded = loss(student, teacher, batch), loss(*half, batch)
    torch.testing.assert_close(exact["hint/t->s"], rounded["hint/t->s"], rtol=0.02, atol=1e-4)


def test_cross_entropy_needs_no_teacher_and_is_the_mean_of_minus_log_p():
    student, _, batch = example()
    loss = CrossEntropy()
    assert not loss.needs_teacher
    p = functional.softmax(student.logits, dim=1)[torch.arange(4), batch.labels]
    torch.testing.assert_close(loss(student, None, batch)["cls"], -p.log().mean())


@pytest.mark.parametrize("skipped", [0, 1, 2])
def test_tokens_become_their_grid_without_the_first_ones(skipped: int):
    grid = torch.randn(2, 5, 3, 3)
    tokens = torch.cat([torch.full((2, skipped, 5), 9.0), grid.flatten(2).transpose(1, 2)], dim=1)
    assert torch.equal(as_map(tokens, "blocks.0"), grid)


@pytest.mark.parametrize("shape", [(2, 7), (2, 14, 5), (2, 3, 4, 4, 4)])
def test_features_that_are_no_map_are_refused(shape: tuple[int, ...]):
    message = r"layer `head` must put out maps \(n, c, h, w\) or a square grid of tokens .*; found shape \("
    with pytest.raises(InputError, match=message):
        as_map(torch.zeros(shape), "head")


def test_maps_that_have_the_grid_are_not_touched():
    maps = torch.randn(2, 3, 4, 4)
    assert to_grid(maps, (4, 4)) is maps


def test_grids_that_are_each_smaller_one_way_meet_in_the_middle():
    first, second = torch.randn(1, 1, 4, 8), torch.randn(1, 1, 8, 2)
    grid = smaller_grid(first, second)
    assert grid == (4, 2)
    assert to_grid(first, grid).shape == to_grid(second, grid).shape == (1, 1, 4, 2)


@pytest.mark.parametrize("name", HINT_LOSSES)
def test_targets_worked_out_before_give_the_same(name: str):
    student, teacher, batch = example()
    loss = HINT_LOSSES[name](PAIRS)
    loss.prepare(student, teacher)
    kept = Outputs(teacher.logits, targets=loss.targets(teacher))
    assert torch.equal(loss(student, kept, batch)["hint/t->s"], loss(student, teacher, batch)["hint/t->s"])


def test_unknown_losses_are_refused():
    with pytest.raises(InputError, match="unknown hint loss `fitnets`: did you mean `fitnet`"):
        build_losses(hint_loss="fitnets", logit_loss="kd")
    with pytest.raises(InputError, match="unknown logit loss `kl`"):
        build_losses(hint_loss="none", logit_loss="kl")
