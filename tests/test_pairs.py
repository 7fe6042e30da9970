from __future__ import annotations

from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest

from pursuhint.errors import InputError
from pursuhint.layers import Layer
from pursuhint.pairs import Pair, check_pairs, crossing, default_pairs, settle_pairs

TEACHER = [f"t{i}" for i in range(12)]


def student(count: int, stages: int = 1) -> list[Layer]:
    return [Layer(f"s{i}", "Block", (8, 4, 4), 0, i * stages // count) for i in range(count)]


def least_gap(hints: list[int], count: int) -> float:
    """The least total gap of any match in order, by trying all of them."""
    choose = combinations if count >= len(hints) else combinations_with_replacement
    wanted = [i / (len(TEACHER) - 1) for i in hints]
    return min(
        sum(abs(w - i / max(1, count - 1)) for w, i in zip(wanted, picked, strict=True))
        for picked in choose(range(count), len(hints))
    )


def test_as_many_hint_points_as_stages_meet_the_stage_ends():
    pairs = default_pairs(["t1", "t2", "t3"], TEACHER, student(9, stages=3))
    assert pairs == (Pair("t1", "s2"), Pair("t2", "s5"), Pair("t3", "s8"))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("n_hints", [2, 3, 4, 5])
def test_otherwise_the_match_is_monotone_and_the_nearest(count: int, n_hints: int):
    generator = np.random.default_rng(count * 10 + n_hints)
    for _ in range(5):
        hints = sorted(generator.choice(len(TEACHER), n_hints, replace=False).tolist())
        pairs = default_pairs([TEACHER[i] for i in hints], TEACHER, student(count))
        assert [pair.hint for pair in pairs] == [TEACHER[i] for i in hints]
        guided = [int(pair.guided[1:]) for pair in pairs]
        assert guided == sorted(guided)
        if count >= n_hints:
            assert len(set(guided)) == n_hints
        gap = sum(
            abs(h / (len(TEACHER) - 1) - g / max(1, count - 1)) for h, g in zip(hints, guided, strict=True)
        )
        assert gap == pytest.approx(least_gap(hints, count))


def test_a_pair_is_called_by_both_ends():
    assert Pair("layer3.1", "layer2.0").name == "layer3.1->layer2.0"


def test_a_hint_point_that_is_no_layer_is_refused():
    with pytest.raises(InputError, match="unknown hint point `t99`: did you mean `t9`"):
        default_pairs(["t99"], TEACHER, student(3))


def test_pairs_that_fit_are_accepted():
    assert check_pairs([Pair("t1", "s0"), Pair("t1", "s1")], ["t1"], student(2)) is None


def test_a_pair_from_no_hint_point_is_refused():
    with pytest.raises(InputError, match="unknown hint point in a pair `t2`: did you mean `t1`"):
        check_pairs([Pair("t2", "s0")], ["t1"], student(2))


def test_a_pair_to_no_layer_is_refused():
    message = (
        r"unknown guided layer in a pair `s9`: did you mean `s1`\? Known: s0, s1; the student cannot make "
        "the pairs `t1->s9`, `t2->s8`: give other guided layers with `--pair`, or take another student"
    )
    with pytest.raises(InputError, match=message):
        check_pairs([Pair("t1", "s9"), Pair("t1", "s0"), Pair("t2", "s8")], ["t1", "t2"], student(2))


def test_a_hint_point_with_pairs_of_its_own_loses_its_default_one():
    default = [Pair("t1", "s0"), Pair("t2", "s1"), Pair("t3", "s2")]
    planned = [Pair("t2", "s0"), Pair("t3", "s1")]
    given = [Pair("t3", "s2"), Pair("t3", "s0"), Pair("t9", "s1")]
    assert settle_pairs(default) == tuple(default)
    assert settle_pairs(default, planned, given) == (
        Pair("t1", "s0"),
        Pair("t2", "s0"),
        Pair("t3", "s2"),
        Pair("t3", "s0"),
        Pair("t9", "s1"),
    )


def crosses(one: Pair, other: Pair) -> bool:
    """The definition, by numbers in the names: the orders of hint points and of guided layers disagree."""
    hints = int(one.hint[1:]) - int(other.hint[1:])
    guided = int(one.guided[1:]) - int(other.guided[1:])
    return hints * guided < 0


def test_pairs_cross_exactly_when_two_orders_disagree():
    generator = np.random.default_rng(0)
    names, found = [layer.name for layer in student(5)], 0
    for _ in range(200):
        ends = generator.integers(0, 5, (3, 2))
        pairs = [Pair(f"t{hint}", f"s{guided}") for hint, guided in ends]
        expected = any(crosses(*two) for two in combinations(pairs, 2))
        two = crossing(pairs, TEACHER, names)
        assert (two is not None) == expected
        assert two is None or crosses(*two) and TEACHER.index(two[0].hint) < TEACHER.index(two[1].hint)
        found += expected
    assert 20 < found < 180


def test_pairs_that_cross_are_refused_unless_it_is_allowed():
    pairs = [Pair("t5", "s0"), Pair("t1", "s2"), Pair("t3", "s2")]
    message = (
        "the pairs `t1->s2` and `t5->s0` cross: in the teacher `t1` comes before `t5`, in the student `s2` "
        "comes after `s0`; exchange their guided layers or allow it with `--allow-crossing`"
    )
    with pytest.raises(InputError) as caught:
        check_pairs(pairs, TEACHER, student(3))
    assert str(caught.value) == message
    assert check_pairs(pairs, TEACHER, student(3), allow_crossing=True) is None


def test_a_repeated_pair_is_refused():
    with pytest.raises(InputError, match="each pair may be given once; remove the repeated one"):
        check_pairs([Pair("t1", "s0"), Pair("t1", "s0")], ["t1"], student(2))
