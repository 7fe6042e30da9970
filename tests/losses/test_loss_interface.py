from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch.nn import functional

from pursuhint.errors import InputError
from pursuhint.losses import (
    HINT_LOSSES,
    LOGIT_LOSSES,
    TERMS,
    Batch,
    HintLoss,
    Outputs,
    TrainingImages,
    build_losses,
)
from pursuhint.losses.base import as_map, to_grid
from pursuhint.losses.cross_entropy import CrossEntropy
from pursuhint.pairs import Pair
from pursuhint.training import settings
from pursuhint.training.loss_names import term_of

PAIRS = (Pair("t1", "s1"), Pair("t2", "s2"))
IMAGES = TrainingImages(torch.arange(4), torch.tensor([0, 1, 2, 0]))


def example(dtype: torch.dtype = torch.float32) -> tuple[Outputs, Outputs, Batch]:
    def outputs(side: str, *shape: int) -> Outputs:
        features = {f"{side}{i}": torch.randn(4, *shape).to(dtype) for i in (1, 2)}
        return Outputs(torch.randn(4, 3).to(dtype), features)

    batch = Batch(torch.zeros(4, 3, 8, 8), IMAGES.labels, IMAGES.ids)
    return outputs("s", 2, 6, 6), outputs("t", 5, 3, 3), batch


def prepared(name: str, student: Outputs, teacher: Outputs) -> HintLoss:
    loss = HINT_LOSSES[name](PAIRS)
    loss.prepare(student, teacher, IMAGES)
    return loss.eval()


def test_the_settings_offer_the_losses_that_there_are():
    assert set(get_args(settings.HintLoss)) == {*HINT_LOSSES, "none"}
    assert set(get_args(settings.LogitLoss)) == {*LOGIT_LOSSES, "none"}


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
        loss.prepare(student, teacher, IMAGES)
        for name, value in loss(student, teacher, batch).items():
            assert term_of(name) == loss.term
            assert value.shape == ()
            assert value.dtype == torch.float32
            assert torch.isfinite(value)
            assert value >= 0


@pytest.mark.parametrize("name", HINT_LOSSES)
def test_half_precision_features_give_nearly_the_same(name: str):
    student, teacher, batch = example()
    loss = prepared(name, student, teacher)
    half = [Outputs(o.logits, {k: v.bfloat16() for k, v in o.features.items()}) for o in (student, teacher)]
    found = []
    for outputs in ((student, teacher), half):
        torch.manual_seed(0)
        found.append(loss(*outputs, batch))
    for exact, rounded in zip(*(values.values() for values in found), strict=True):
        torch.testing.assert_close(exact, rounded, rtol=0.03, atol=3e-4)


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


@pytest.mark.parametrize("name", HINT_LOSSES)
def test_targets_worked_out_before_give_the_same(name: str):
    student, teacher, batch = example()
    loss = prepared(name, student, teacher)
    found = []
    for taught in (teacher, Outputs(teacher.logits, targets=loss.targets(teacher))):
        torch.manual_seed(0)
        found.append(loss(student, taught, batch))
    assert found[0] == found[1]


@pytest.mark.parametrize("name", HINT_LOSSES)
def test_a_target_belongs_to_its_image_alone(name: str):
    """Row i of a target is the same when the batch holds other images too."""
    student, teacher, _ = example()
    loss = prepared(name, student, teacher)
    one = Outputs(teacher.logits[2:3], {k: v[2:3] for k, v in teacher.features.items()})
    alone, together = loss.targets(one), loss.targets(teacher)
    for pair, rows in together.items():
        torch.testing.assert_close(rows[2:3], alone[pair])


def test_unknown_losses_are_refused():
    with pytest.raises(InputError, match="unknown hint loss `fitnets`: did you mean `fitnet`"):
        build_losses(hint_loss="fitnets", logit_loss="kd")
    with pytest.raises(InputError, match="unknown logit loss `kl`"):
        build_losses(hint_loss="none", logit_loss="kl")
