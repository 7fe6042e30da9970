"""The catalogue, the registry and the settings name the same losses."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import get_args

import pytest

from pursuhint.catalogue import HINT_FACTS, LOGIT_FACTS, hint_facts, title_of
from pursuhint.errors import InputError
from pursuhint.training import settings

PUBLISHED = {
    "fitnet": 100,
    "at": 1000,
    "sp": 3000,
    "cc": 0.02,
    "vid": 1,
    "rkd": 1,
    "pkt": 30000,
    "nst": 50,
    "crd": 0.8,
    "at+crd": None,
    "cka": None,
}
"""beta in RepDistiller's README."""


def test_registry_catalogue_and_settings_agree():
    from pursuhint.losses import HINT_LOSSES, LOGIT_LOSSES

    assert list(HINT_FACTS) == list(HINT_LOSSES) == list(get_args(settings.HintLoss)[1:])
    assert list(LOGIT_FACTS) == list(LOGIT_LOSSES) == list(get_args(settings.LogitLoss)[1:])
    assert get_args(settings.HintLoss)[0] == get_args(settings.LogitLoss)[0] == "none"


def test_the_weights_are_the_published_ones():
    assert {name: facts.weight for name, facts in HINT_FACTS.items()} == PUBLISHED


@pytest.mark.parametrize("facts", [*HINT_FACTS.values(), *LOGIT_FACTS.values()], ids=lambda facts: facts.name)
def test_every_loss_names_its_paper_and_has_a_formula_that_closes(facts):
    assert re.search(r" \d{4}, arXiv \d{4}\.\d{4,5}$", facts.source)
    assert facts.formula.count("{") == facts.formula.count("}")
    assert facts.formula.count(r"\left") == facts.formula.count(r"\right")
    assert facts.title and facts.reduction


def test_titles_are_different_and_none_stays_none():
    titles = [title_of(name) for name in (*HINT_FACTS, *LOGIT_FACTS, "none")]
    assert len(set(titles)) == len(titles)
    assert titles[-1] == "none"
    assert title_of("kd") == "Soft labels (KD) – Hinton, Vinyals and Dean 2015"


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="unknown hint loss `fitnets`: did you mean `fitnet`"):
        hint_facts("fitnets")


def test_it_needs_no_torch():
    script = "import sys, pursuhint.catalogue, pursuhint.adapters; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
