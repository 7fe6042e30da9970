"""Pairs: which student layer (guided layer) imitates which hint point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pursuhint.errors import InputError, unknown
from pursuhint.layers import Layer, stage_ends


@dataclass(frozen=True)
class Pair:
    """A hint point of the teacher and the guided layer of the student that imitates it."""

    hint: str
    guided: str

    @property
    def name(self) -> str:
        """How the pair is called in journals and curves."""
        return f"{self.hint}->{self.guided}"


def default_pairs(
    hint_points: Sequence[str], teacher_layers: Sequence[str], student_layers: Sequence[Layer]
) -> tuple[Pair, ...]:
    """Match every hint point with a student layer, in depth order and without crossings.

    As many hint points as the student has stages meet the stage ends, as in the paper's code. Otherwise each
    one meets the layer at the nearest relative depth, the sum of the differences being the least that keeps
    the order (a student layer serves twice only when the student has fewer layers than there are hint
    points).

    Args:
        hint_points: names in the teacher, in depth order.
        teacher_layers: all candidate layers of the teacher in depth order; a hint point's place in it is its
            depth.
        student_layers: the student's candidate layers in depth order.

    Returns:
        One pair a hint point.

    Raises:
        InputError: a hint point is not among the teacher's layers.

    Example:
        >>> student = [Layer(f"b{i}", "Block", (8, 4 - i, 4 - i), 0, i) for i in range(3)]
        >>> [p.guided for p in default_pairs(["t1", "t5"], [f"t{i}" for i in range(6)], student)]
        ['b0', 'b2']
    """
    for name in hint_points:
        if name not in teacher_layers:
            raise unknown("hint point", name, teacher_layers)
    ends = stage_ends(student_layers)
    if len(ends) == len(hint_points):
        return tuple(Pair(hint, guided) for hint, guided in zip(hint_points, ends, strict=True))
    names = [layer.name for layer in student_layers]
    hint_depth = [_relative(teacher_layers.index(name), len(teacher_layers)) for name in hint_points]
    depth = [_relative(i, len(names)) for i in range(len(names))]
    chosen = _monotone_match(hint_depth, depth)
    return tuple(Pair(hint, names[i]) for hint, i in zip(hint_points, chosen, strict=True))


def settle_pairs(default: Sequence[Pair], *chosen: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return the pairs in force: a hint point that was given pairs of its own loses its default one.

    Args:
        default: one pair a hint point.
        chosen: pairs that were chosen, later ones stronger; a hint point may have several.

    Returns:
        The pairs in the order of the hint points; those of no hint point come last.

    Example:
        >>> default = [Pair("t1", "s0"), Pair("t2", "s1")]
        >>> [pair.name for pair in settle_pairs(default, [Pair("t2", "s2")])]
        ['t1->s0', 't2->s2']
    """
    settled: dict[str, list[Pair]] = {}
    for pairs in (default, *chosen):
        own: dict[str, list[Pair]] = {}
        for pair in pairs:
            own.setdefault(pair.hint, []).append(pair)
        settled |= own
    return tuple(pair for pairs in settled.values() for pair in pairs)


def check_pairs(
    pairs: Sequence[Pair],
    hint_points: Sequence[str],
    student_layers: Sequence[Layer],
    *,
    allow_crossing: bool = False,
) -> None:
    """Refuse pairs that cannot be trained, or that are likely to be a slip.

    Args:
        pairs: hint points and guided layers.
        hint_points: of the plan, in depth order.
        student_layers: of the student, in depth order.
        allow_crossing: see `crossing`.

    Raises:
        InputError: a pair's end does not exist, a pair is there twice, or two of them cross.
    """
    names = [layer.name for layer in student_layers]
    for pair in pairs:
        if pair.hint not in hint_points:
            raise unknown("hint point in a pair", pair.hint, hint_points)
    if lost := without_guided(pairs, names):
        raise InputError(lost)
    if len(set(pairs)) < len(pairs):
        raise InputError("each pair may be given once; remove the repeated one")
    found = crossing(pairs, hint_points, names)
    if found and not allow_crossing:
        first, second = found
        raise InputError(
            f"the pairs `{first.name}` and `{second.name}` cross: in the teacher `{first.hint}` comes before "
            f"`{second.hint}`, in the student `{first.guided}` comes after `{second.guided}`; exchange their "
            "guided layers or allow it with `--allow-crossing`"
        )


def without_guided(pairs: Sequence[Pair], student_layers: Sequence[str]) -> str:
    """Say which pairs have a guided layer that the student lacks, why and what to do; nothing for none.

    Args:
        pairs: hint points and guided layers.
        student_layers: names in depth order.

    Example:
        >>> without_guided([Pair("t1", "s1")], ["s0", "s1"])
        ''
        >>> without_guided([Pair("t1", "block.9")], ["s0"])
        'unknown guided layer in a pair `block.9`. Known: s0; the student cannot make the pair ...'
    """
    lost = [pair for pair in pairs if pair.guided not in student_layers]
    if not lost:
        return ""
    named = f"pair{'s' * (len(lost) > 1)} {', '.join(f'`{pair.name}`' for pair in lost)}"
    return (
        f"{unknown('guided layer in a pair', lost[0].guided, student_layers)}; the student cannot make the "
        f"{named}: give other guided layers with `--pair`, or take another student"
    )


def crossing(
    pairs: Sequence[Pair], hint_points: Sequence[str], student_layers: Sequence[str]
) -> tuple[Pair, Pair] | None:
    """Return the first two pairs that cross: the deeper hint point has the shallower guided layer.

    Args:
        pairs: whose ends are among the following.
        hint_points: names in depth order.
        student_layers: names in depth order.

    Example:
        >>> found = crossing([Pair("t1", "s1"), Pair("t2", "s0")], ["t1", "t2"], ["s0", "s1"])
        >>> [pair.name for pair in found]
        ['t1->s1', 't2->s0']
    """
    depth = [(hint_points.index(pair.hint), student_layers.index(pair.guided), pair) for pair in pairs]
    for (hint, guided, first), (other_hint, other_guided, second) in combinations(
        sorted(depth, key=lambda row: row[:2]), 2
    ):
        if hint < other_hint and guided > other_guided:
            return first, second
    return None


def _relative(index: int, count: int) -> float:
    return index / max(1, count - 1)


def _monotone_match(wanted: Sequence[float], available: Sequence[float]) -> list[int]:
    """Choose an available depth for each wanted one, in order, with the least total gap."""
    step = 1 if len(available) >= len(wanted) else 0
    best: list[list[float]] = []
    for row, depth in enumerate(wanted):
        costs = []
        for column, place in enumerate(available):
            before = 0.0 if row == 0 else min(best[row - 1][: column + 1 - step], default=float("inf"))
            costs.append(before + abs(depth - place))
        best.append(costs)
    chosen: list[int] = []
    limit = len(available)
    for costs in reversed(best):
        allowed = costs[:limit]
        pick = min(range(len(allowed)), key=allowed.__getitem__)
        chosen.append(pick)
        limit = pick + 1 - step
    return chosen[::-1]
