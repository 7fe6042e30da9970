"""Everything that can be chosen is explained, and no explanation names what is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pursuhint.catalogue import HINT_FACTS, LOGIT_FACTS
from pursuhint.clustering import METHODS, PRESETS
from pursuhint.errors import InputError
from pursuhint.explanations import EXPLANATIONS, explanation
from pursuhint.similarity import METRICS

ROOT = Path(__file__).parents[1]
CHOICES = [*METRICS, *METHODS, *PRESETS, *HINT_FACTS, *LOGIT_FACTS]


def test_all_that_can_be_chosen_has_an_explanation_of_its_own():
    assert len(set(CHOICES)) == len(CHOICES)
    assert set(CHOICES) <= set(EXPLANATIONS)


@pytest.mark.parametrize("name", [*METRICS, *METHODS, *HINT_FACTS, *LOGIT_FACTS])
def test_a_formula_comes_with_its_paper(name):
    about = explanation(name)
    assert about.formula and re.search(r"\b(19|20)\d\d\b", about.source)


@pytest.mark.parametrize("topic", EXPLANATIONS)
def test_braces_of_a_formula_are_paired(topic):
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", EXPLANATIONS[topic].formula):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


def test_what_a_metric_is_blind_to_is_what_it_declares():
    assert "invertible linear" in explanation("r2_cca").reading
    assert "invertible linear" not in explanation("cka_linear").reading


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.stem)
def test_pages_ask_for_topics_that_are_there(path):
    asked = re.findall(r"explain\((.*)\)", path.read_text(encoding="utf-8"))
    for topic in re.findall(r'"([^"]+)"', " ".join(asked)):
        assert topic in EXPLANATIONS


def test_an_unknown_topic():
    with pytest.raises(InputError, match="unknown topic `coverrage`: did you mean `coverage`?"):
        explanation("coverrage")
