"""Plans, settings and names that a program or a person could write: taken as they are or refused in words."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pursuhint.errors import InputError
from pursuhint.files import parse_json
from pursuhint.models import parse_spec
from pursuhint.plan import LARGEST_PLAN, HintPlan
from pursuhint.preprocess import parse_preprocess
from pursuhint.training.settings import RunSettings, make_settings

quick = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PLAN = {
    "version": 1,
    "teacher": {"spec": "zoo:x", "weights": "/w.pt", "hash": "abc", "classes": 10, "preprocess": "digits"},
    "data": "digits",
    "data_id": "0123",
    "sample_ids": [3, 5],
    "metric": "r2_cca",
    "pooling": "mean",
    "method": "pursuhint",
    "layers": ["a", "b", "c"],
    "clusters": [["a"], ["b", "c"]],
    "centres": ["a", "b"],
    "overrides": [{"action": "add", "layer": "c", "who": "", "why": "", "at": ""}],
    "pairs": [{"hint": "a", "guided": "s"}],
    "silhouette": 0.25,
}
RUN = {
    "kind": "distill",
    "student": "zoo:resnet8",
    "data": "digits",
    "preprocess": "digits",
    "plan": PLAN,
    "hint_loss": "at",
    "logit_loss": "kd",
}


def one_line(error: InputError) -> None:
    assert str(error).isprintable() and len(str(error)) < 1000


@quick
@given(field=st.sampled_from(sorted(PLAN)), value=VALUES)
def test_a_plan_with_any_value_in_any_field_comes_back_as_it_was_or_is_refused(field: str, value: Any):
    try:
        plan = HintPlan.from_text(json.dumps(PLAN | {field: value}))
    except InputError as error:
        one_line(error)
    else:
        assert HintPlan.from_text(plan.model_dump_json()) == plan
        assert set(plan.hint_points) <= set(plan.layers)


@quick
@given(text=st.text() | st.binary() | VALUES.map(json.dumps))
def test_any_text_is_a_plan_or_refused(text: str | bytes):
    with pytest.raises(InputError, match="`upload` (must be JSON|is not a hint plan): ") as refused:
        HintPlan.from_text(text, source="upload")
    one_line(refused.value)


@quick
@given(field=st.sampled_from(sorted(RunSettings.model_fields)), value=VALUES)
def test_settings_with_any_value_in_any_field_come_back_as_they_were_or_are_refused(field: str, value: Any):
    try:
        made = make_settings(**RUN | {field: value})
    except InputError as error:
        one_line(error)
    else:
        assert make_settings(**json.loads(made.model_dump_json())) == made


@quick
@given(text=st.text(max_size=40) | st.text("0123456789.,/e-²∞nair", max_size=30))
def test_any_preprocessing_is_known_or_refused(text: str):
    with suppress(InputError):
        parse_preprocess(text)
    with pytest.raises(InputError, match="must be 1 to 4096 pixels") as refused:
        parse_preprocess(f"imagenet/²{text.partition('/')[0]}")
    one_line(refused.value)


@quick
@given(text=st.text(max_size=40) | st.text("width=variant&0123456789.e-²∞", max_size=30))
def test_any_option_of_a_network_is_known_or_refused(text: str):
    try:
        assert str(parse_spec(f"zoo:resnet8?{text}")).startswith("zoo:resnet8")
    except InputError as error:
        one_line(error)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 10**6, "it nests too deeply"),
        ('{"a":' * 10**5, "it nests too deeply"),
        ("9" * 5000, "Exceeds the limit"),
        ("NaN", "NaN is not a number"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        (r'"\ud800"', "surrogates not allowed"),
        (b"\xff\xfe\x00", "decode"),
    ],
)
def test_json_that_cannot_be_parsed_or_written_back_is_refused(text: str | bytes, reason: str):
    with pytest.raises(InputError, match=rf"`x` must be JSON: .*{reason}.*; was it cut short or edited\?"):
        parse_json(text, source="x")


def test_a_plan_that_is_too_large_is_not_even_parsed():
    with pytest.raises(InputError, match="`x` has 10 MB, and a hint plan at most 10 MB; choose the file"):
        HintPlan.from_text("[" * (LARGEST_PLAN + 1), source="x")


def test_a_long_value_is_cut_in_what_is_said():
    with pytest.raises(InputError, match="…") as refused:
        make_settings(**RUN | {"epochs": "x" * 10**6})
    one_line(refused.value)
    with pytest.raises(InputError, match="must be text that can be shown on one line; found `a.nb`"):
        make_settings(**RUN | {"name": "a\nb"})
