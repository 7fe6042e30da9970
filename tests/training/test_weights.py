"""Balanced weights: the shares of the gradients, measured here by plain backward passes."""

from __future__ import annotations

import pytest
import torch

from pursuhint.errors import PursuhintError
from pursuhint.training.loop import Trainer
from pursuhint.training.prepare import load_parts
from pursuhint.training.settings import Weights
from pursuhint.training.weights import (
    contributions,
    gradient_norms,
    gradient_shares,
    settle_weights,
)


@pytest.fixture
def started(settings_for, tmp_path):
    """A function that gives a started trainer with the batch and teacher's outputs it began with."""

    def start(**fields):
        settings = settings_for(**fields)
        trainer = Trainer(
            settings, load_parts(settings), folder=tmp_path / "checkpoints", record=lambda *_, **__: None
        )
        trainer.start()
        batch = next(trainer.batches.epoch(0))
        return trainer, batch, trainer.teach(batch)

    return start


def norms_by_backward(distiller, batch, teacher) -> dict[str, float]:
    """One forward and one backward pass a term, from the same state each time."""
    norms = {}
    for term in ("cls", "logit", "hint"):
        distiller.zero_grad()
        named = distiller(batch, teacher)
        sum(value for name, value in named.items() if name.startswith(term)).backward()
        flat = torch.cat(
            [p.grad.flatten().double() for p in distiller.student.parameters() if p.grad is not None]
        )
        norms[term] = float(flat.norm())
    distiller.zero_grad(set_to_none=True)
    return norms


@pytest.mark.parametrize("hint_loss", ["at", "fitnet"])
@pytest.mark.parametrize("shares", [(1.0, 1.0, 0.5), (2.0, 0.5, 1.0)])
def test_each_term_pulls_with_its_share(started, hint_loss: str, shares: tuple[float, ...]):
    given = dict(zip(("cls", "logit", "hint"), shares, strict=True))
    trainer, batch, teacher = started(hint_loss=hint_loss, weights={"mode": "balanced", **given})
    norms = norms_by_backward(trainer.distiller, batch, teacher)
    pulls = {term: trainer.weights[term] * norms[term] for term in norms}
    for term, share in given.items():
        assert pulls[term] / sum(pulls.values()) == pytest.approx(share / sum(shares), rel=1e-3)
    assert trainer.weights["cls"] == 1


def test_measuring_leaves_everything_as_it_was(started):
    trainer, batch, teacher = started(hint_loss="fitnet")
    distiller = trainer.distiller
    before = {name: value.clone() for name, value in distiller.state_dict().items()}
    norms = gradient_norms(distiller, batch, teacher)
    after = distiller.state_dict()
    assert set(norms) == {"cls", "logit", "hint"}
    assert any("num_batches_tracked" in name for name in after)
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    assert all(p.grad is None for p in distiller.parameters())
    assert distiller.training
    assert distiller.student.training


def test_the_regressors_do_not_count_as_student(started):
    trainer, batch, teacher = started(hint_loss="fitnet")
    norms = gradient_norms(trainer.distiller, batch, teacher)
    assert norms == pytest.approx(norms_by_backward(trainer.distiller, batch, teacher), rel=1e-4)


def test_fixed_weights_are_taken_as_they_are(started):
    trainer, *_ = started(weights={"mode": "fixed", "cls": 1, "logit": 1.5, "hint": 1000})
    assert trainer.weights == {"cls": 1.0, "logit": 1.5, "hint": 1000.0}


def test_a_term_that_does_not_pull_cannot_be_balanced():
    for norm in (0.0, float("nan"), float("inf")):
        with pytest.raises(
            PursuhintError, match=r"L_hint pulls at the student with a gradient of .*give fixed"
        ):
            settle_weights(Weights(), {"cls": 1.0, "hint": norm})


def test_a_share_of_zero_switches_a_term_off():
    assert settle_weights(Weights(logit=0), {"cls": 1.0, "logit": 0.0}) == {"cls": 1.0, "logit": 0.0}


def test_shares_sum_to_one():
    shares = gradient_shares({"cls": 1, "hint": 3}, {"cls": 2.0, "hint": 2.0})
    assert shares == {"cls": 0.25, "hint": 0.75}
    assert gradient_shares({"cls": 0}, {"cls": 1.0}) == {"cls": 0.0}


def test_the_contributions_are_weighted_by_part():
    values = {"cls": 2.0, "hint:at/a->b": 1.0, "hint:at/c->d": 3.0, "hint:crd/e->f": 5.0}
    named = {name: torch.tensor(value) for name, value in values.items()}
    weighted = contributions(named, {"cls": 1.0, "hint:at": 10.0, "hint:crd": 0.5})
    assert {name: float(value) for name, value in weighted.items()} == {
        "cls": 2.0,
        "hint:at/a->b": 10.0,
        "hint:at/c->d": 30.0,
        "hint:crd/e->f": 2.5,
    }


def test_the_parts_of_a_term_divide_its_share_evenly():
    norms = {"cls": 2.0, "logit": 4.0, "hint:at": 0.01, "hint:crd": 8.0}
    settled = settle_weights(Weights(cls=2, logit=1, hint=3), norms)
    shares = gradient_shares(settled, norms)
    assert settled["cls"] == 1
    assert shares == pytest.approx({"cls": 2 / 6, "logit": 1 / 6, "hint:at": 1.5 / 6, "hint:crd": 1.5 / 6})


def test_fixed_parts_share_their_terms_weight_unless_the_last_has_its_own():
    norms = {"cls": 1.0, "hint:at": 1.0, "hint:crd": 1.0}
    both = Weights(mode="fixed", hint=7)
    assert settle_weights(both, norms) == {"cls": 1.0, "hint:at": 7.0, "hint:crd": 7.0}
    apart = Weights(mode="fixed", hint=1000, hint_last=0.8)
    assert settle_weights(apart, norms) == {"cls": 1.0, "hint:at": 1000.0, "hint:crd": 0.8}
