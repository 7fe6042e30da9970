"""Zoo names and their options, good and bad."""

import subprocess
import sys

import pytest

from pursuhint.errors import InputError
from pursuhint.zoo import ZOO, build_zoo, parse_zoo_name


def test_the_zoo_is_the_papers() -> None:
    resnets = ["resnet8", "resnet14", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110"]
    wide = ["wrn_16_1", "wrn_16_2", "wrn_40_1", "wrn_40_2"]
    assert list(ZOO) == [*resnets, "resnet8x4", "resnet32x4", *wide]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("resnet56", "resnet56"),
        ("resnet56?", "resnet56"),
        ("resnet56?variant=a&width=1.0", "resnet56"),
        ("resnet56?width=0.50&variant=b", "resnet56?variant=b&width=0.5"),
        ("resnet8x4?variant=b", "resnet8x4"),
        ("resnet8x4?variant=a", "resnet8x4?variant=a"),
        ("wrn_40_2?width=2", "wrn_40_2?width=2"),
    ],
)
def test_canonical_name(written: str, canonical: str) -> None:
    assert str(parse_zoo_name(written)) == canonical
    assert parse_zoo_name(canonical) == parse_zoo_name(written)


def test_the_keyword_overrules_the_name() -> None:
    assert hasattr(build_zoo("resnet8?variant=a", classes=2, variant="b"), "fc")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet65", "unknown zoo model `resnet65`: did you mean `resnet56`"),
        ("resnet56?widht=2", "unknown option of `resnet56` `widht`: did you mean `width`"),
        ("resnet56?width", "`width` must be a number above 0 and at most 16, such as 0.5; found ``"),
        ("resnet56?width=0", "`width` must be a number above 0 and at most 16, such as 0.5; found `0`"),
        ("resnet56?width=nan", "found `nan`"),
        ("resnet56?width=wide", "found `wide`"),
        ("resnet56?width=1e9", "found `1e9`"),
        ("resnet56?variant=c", "unknown variant of `resnet56` `c`. Known: a, b"),
        ("wrn_16_2?variant=b", "`wrn_16_2` exists in one form only, found `variant=b`"),
    ],
)
def test_bad_names(name: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        build_zoo(name, classes=10)
    assert message in str(caught.value)


def test_no_class_is_refused() -> None:
    with pytest.raises(InputError, match="`classes` must be at least 1, found 0"):
        build_zoo("resnet8", classes=0)


def test_names_are_checked_without_torch() -> None:
    code = (
        "import sys, pursuhint.models as m; m.parse_spec('zoo:resnet56?width=0.5'); m.model_names('builtin');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
