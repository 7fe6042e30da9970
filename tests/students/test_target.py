from __future__ import annotations

import pytest

from pursuhint.errors import InputError
from pursuhint.students import Target, parse_target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("auto", Target(2.5, "parameters")),
        ("auto:3", Target(3.0, "parameters")),
        ("auto:flops:4", Target(4.0, "flops")),
        ("auto:parameters:1.5", Target(1.5, "parameters")),
        ("zoo:resnet20", None),
        ("automatic", None),
    ],
)
def test_automatic_students_are_told_from_names(text: str, target: Target | None):
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["auto:", "auto:flops", "auto:x", "auto:flops:2:3", "auto:nan"])
def test_another_form_is_refused(text: str):
    with pytest.raises(InputError, match=f"written `auto`, `auto:2.5` or `auto:flops:4`; found `{text}`"):
        parse_target(text)


@pytest.mark.parametrize("compression", ["1", "0.5", "-2", "inf"])
def test_a_target_makes_smaller(compression: str):
    with pytest.raises(InputError, match="the compression must be a number above 1, such as 2.5; found"):
        parse_target(f"auto:{compression}")


def test_only_two_sizes_are_known():
    with pytest.raises(InputError, match="unknown measure of size `flop`: did you mean `flops`"):
        parse_target("auto:flop:4")


def test_twice_too_large_is_as_far_as_twice_too_small():
    assert Target(3).miss(6) == pytest.approx(Target(3).miss(1.5)) == pytest.approx(0.6931, abs=1e-4)
    assert Target(3).miss(3) == 0
