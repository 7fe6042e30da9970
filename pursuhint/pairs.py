"""Pairs: which student layer (guided layer) imitates which hint point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def check_pairs(pairs: Sequence[Pair], hint_points: Sequence[str], student_layers: Sequence[Layer]) -> None:
    """Raise InputError unless every pair joins a hint point of the plan with a layer of the student."""
    for pair in pairs:
        if pair.hint not in hint_points:
            raise unknown("hint point in a pair", pair.hint, hint_points)
        if pair.guided not in [layer.name for layer in student_layers]:
            raise unknown("guided layer in a pair", pair.guided, [layer.name for layer in student_layers])
    if len(set(pairs)) < len(pairs):
        raise InputError("each pair may be given once; remove the repeated one")


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
