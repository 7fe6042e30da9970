from __future__ import annotations

import pytest
import torch

from pursuhint.errors import InputError
from pursuhint.losses import Outputs
from pursuhint.losses.at import AttentionTransfer
from pursuhint.losses.at_crd import AttentionThenContrast
from pursuhint.losses.crd import ContrastiveDistillation
from pursuhint.pairs import Pair
from pursuhint.training.loss_names import term_of
from tests.losses.one_pair import batch_of, images_of

PAIRS = [Pair("t1", "s1"), Pair("t2", "s2"), Pair("t3", "s3")]


def outputs(side: str, width: int) -> Outputs:
    return Outputs(torch.zeros(6, 3), {f"{side}{i}": torch.randn(6, width, 4, 4) for i in (1, 2, 3)})


def test_the_first_pairs_have_attention_and_the_last_one_the_contrast():
    student, teacher = outputs("s", 5), outputs("t", 7)
    loss = AttentionThenContrast(PAIRS)
    loss.prepare(student, teacher, images_of(6))
    attention, contrast = AttentionTransfer(PAIRS[:2]), ContrastiveDistillation(PAIRS[2:])
    for part in (attention, contrast):
        part.prepare(student, teacher, images_of(6))
    contrast.load_state_dict(loss.contrast.state_dict())
    torch.manual_seed(1)
    named = loss(student, teacher, batch_of(6))
    assert list(named) == ["hint:at/t1->s1", "hint:at/t2->s2", "hint:crd/t3->s3"]
    assert {term_of(name) for name in named} == {"hint"}
    torch.manual_seed(1)
    expected = attention(student, teacher, None) | contrast(student, teacher, batch_of(6))
    assert [v.item() for v in named.values()] == [v.item() for v in expected.values()]


def test_a_single_pair_is_refused():
    with pytest.raises(InputError, match=r"`at\+crd` is .* and needs at least 2 pairs; found 1; add a hint"):
        AttentionThenContrast(PAIRS[:1])
