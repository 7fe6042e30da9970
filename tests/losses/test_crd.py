from __future__ import annotations

import numpy as np
import pytest
import torch

from pursuhint.errors import InputError
from pursuhint.losses import Batch, TrainingImages, crd
from pursuhint.losses.crd import ContrastiveDistillation
from pursuhint.losses.image_index import ImageIndex
from tests.losses.one_pair import PAIR, on_pair

IMAGES = TrainingImages(torch.tensor([40, 10, 30, 20, 60, 50]), torch.tensor([2, 0, 1, 0, 2, 0]))
IDS = torch.tensor([30, 10, 50])
T = 0.07


@pytest.fixture
def features() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(3, 4), torch.randn(3, 5)


@pytest.fixture
def loss(features) -> ContrastiveDistillation:
    made = ContrastiveDistillation([PAIR], negatives=7)
    made.prepare(*on_pair(*features), IMAGES)
    return made


def step(loss: ContrastiveDistillation, features, ids: torch.Tensor = IDS, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return loss(*on_pair(*features), Batch(torch.zeros(3, 1), torch.zeros(3), ids))["hint/t->s"]


def embedded(loss: ContrastiveDistillation, features) -> tuple[np.ndarray, np.ndarray]:
    contrast = loss.contrasts[0]
    found = []
    for layer, rows in zip((contrast.embed_student, contrast.embed_teacher), features, strict=True):
        raw = rows.double() @ layer.weight.detach().double().T + layer.bias.detach().double()
        found.append((raw / raw.norm(dim=1, keepdim=True)).numpy())
    return tuple(found)


def by_paper(anchors: np.ndarray, bank: np.ndarray, compared: np.ndarray) -> float:
    """NCE as it is published: P = exp(s / T) / Z with Z = N times the mean, noise 1 / N, -log D summed."""
    n, k = len(bank), compared.shape[1] - 1
    scores = np.array(
        [[np.exp(a @ bank[j] / T) for j in row] for a, row in zip(anchors, compared, strict=True)]
    )
    p = scores / (scores.mean() * n)
    positive = p[:, 0] / (p[:, 0] + k / n)
    negative = (k / n) / (p[:, 1:] + k / n)
    return -(np.log(positive).sum() + np.log(negative).sum()) / len(anchors)


@pytest.mark.parametrize("gathered", [crd.GATHERED, 0], ids=["whole bank", "gathered rows"])
def test_it_is_the_published_estimate_over_both_banks(loss, features, monkeypatch, gathered: int):
    monkeypatch.setattr(crd, "GATHERED", gathered)
    student, teacher = embedded(loss, features)
    contrast = loss.contrasts[0]
    banks = [bank.clone().double().numpy() for bank in (contrast.bank_student, contrast.bank_teacher)]
    drawn, original = [], loss.index.draw_others
    monkeypatch.setattr(loss.index, "draw_others", lambda *a: drawn.append(original(*a)) or drawn[-1])
    found = step(loss, features)
    compared = torch.cat([loss.index.rows(IDS)[:, None], drawn[0]], dim=1).numpy()
    expected = by_paper(student, banks[1], compared) + by_paper(teacher, banks[0], compared)
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_the_constant_is_that_of_the_first_batch(loss, features):
    step(loss, features)
    first = loss.contrasts[0].constants.clone()
    assert (first > 0).all()
    step(loss, [-2 * x for x in features], seed=1)
    assert torch.equal(loss.contrasts[0].constants, first)


def test_banks_move_half_way_and_have_length_one(loss, features):
    contrast = loss.contrasts[0]
    before = {"student": contrast.bank_student.clone(), "teacher": contrast.bank_teacher.clone()}
    sides = dict(zip(("student", "teacher"), embedded(loss, features), strict=True))
    step(loss, features)
    rows = loss.index.rows(IDS)
    others = [i for i in range(6) if i not in rows.tolist()]
    for side, bank in (("student", contrast.bank_student), ("teacher", contrast.bank_teacher)):
        moved = before[side][rows].double().numpy() / 2 + sides[side] / 2
        expected = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        np.testing.assert_allclose(bank[rows].numpy(), expected, atol=1e-6)
        np.testing.assert_allclose(bank[rows].norm(dim=1).numpy(), 1, atol=1e-6)
        assert torch.equal(bank[others], before[side][others])


def test_banks_rest_while_nothing_is_trained(loss, features):
    loss.eval()
    before = loss.contrasts[0].bank_student.clone()
    step(loss, features)
    assert torch.equal(loss.contrasts[0].bank_student, before)


def test_a_restored_state_goes_on_with_the_same_values(loss, features):
    step(loss, features)
    other = ContrastiveDistillation([PAIR], negatives=7)
    other.prepare(*on_pair(*features), IMAGES)
    assert step(other, features, seed=2) != step(loss, features, seed=2)
    other.load_state_dict(loss.state_dict())
    for seed in (3, 4):
        assert torch.equal(step(other, features, seed=seed), step(loss, features, seed=seed))


def test_student_and_both_embeddings_get_a_gradient(loss, features):
    guided, hint = features[0].requires_grad_(), features[1]
    step(loss, (guided, hint)).backward()
    assert guided.grad.abs().sum() > 0
    assert all(p.grad.abs().sum() > 0 for p in loss.parameters())
    assert not any(b.requires_grad for b in loss.buffers())


def test_the_direction_of_features_counts_and_not_their_length_once_centred_on_the_bias(loss, features):
    with torch.no_grad():
        loss.contrasts[0].embed_student.bias.zero_()
    loss.eval()
    expected = step(loss, features)
    torch.testing.assert_close(step(loss, (3 * features[0], features[1])), expected)
    assert abs(step(loss, (-features[0], features[1])) - expected) > 0.1


def test_ids_find_their_rows_and_others_are_of_other_classes():
    index = ImageIndex(IMAGES)
    rows = index.rows(IMAGES.ids)
    assert sorted(rows.tolist()) == list(range(6))
    classes = torch.empty(6, dtype=torch.int64).scatter_(0, rows, IMAGES.labels)
    drawn = index.draw_others(rows, 2000)
    assert (classes[drawn] != IMAGES.labels[:, None]).all()
    for row, label in zip(drawn, IMAGES.labels, strict=True):
        others = torch.bincount(row, minlength=6)[classes != label]
        assert (others / 2000 - 1 / len(others)).abs().max() < 0.05, "each is as likely"
    assert index.most_others == 3


def test_negatives_are_as_many_as_every_image_has_others_up_to_the_papers_number(features, monkeypatch):
    for most, expected in ((16_384, 3), (2, 2)):
        monkeypatch.setattr(crd, "MOST_NEGATIVES", most)
        made = ContrastiveDistillation([PAIR])
        made.prepare(*on_pair(*features), IMAGES)
        assert made.negatives == expected


def test_banks_are_kept_and_the_index_is_not(loss):
    kept = loss.state_dict()
    assert kept["contrasts.0.bank_student"].shape == kept["contrasts.0.bank_teacher"].shape == (6, 128)
    assert not any(name.startswith("index") for name in kept)


def test_without_ids_it_is_refused(loss, features):
    with pytest.raises(
        InputError, match="`crd` needs the images' ids and labels; found none; give `prepare`"
    ):
        ContrastiveDistillation([PAIR]).prepare(*on_pair(*features))
    for batch in (None, Batch(torch.zeros(3, 1), torch.zeros(3), None)):
        with pytest.raises(InputError, match="`crd` needs the images' ids; found a batch without any; set"):
            loss(*on_pair(*features), batch)


def test_strange_ids_and_a_single_class_are_refused(loss, features):
    with pytest.raises(InputError, match="remembers the 6 images .*; found the id 35, which is none of them"):
        step(loss, features, torch.tensor([30, 35, 50]))
    with pytest.raises(
        InputError, match="tells images of different classes apart; found 1 class in the 4 images"
    ):
        ImageIndex(TrainingImages(torch.arange(4), torch.ones(4, dtype=torch.int64)))
