"""How a guided layer is brought to meet its hint: pooling and a small network, described from two shapes.

No torch here: tables and pages show it before anything is built. `pursuhint.losses.adapters` builds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from pursuhint.catalogue import HINT_FACTS, hint_facts
from pursuhint.errors import InputError
from pursuhint.pairs import Pair

Form = Literal["maps", "tokens", "rows", "any"]
EMBEDDING = 128
"""Numbers that losses which embed both layers compare."""


@dataclass(frozen=True)
class Adapter:
    """Where and how the two layers of a pair meet.

    Attributes:
        text: in words.
        parameters: trained with the student, not exported.
        form: ``maps`` (n, c, h, w), ``tokens`` (n, t, c), ``rows`` (n, c), or ``any`` two shapes.
        grid: height and width of the maps; None for other forms.
        widths: channels of the guided layer and of the hint.
    """

    text: str
    parameters: int
    form: Form
    grid: tuple[int, int] | None
    widths: tuple[int, int]


def describe_adapter(
    guided_shape: Sequence[int], hint_shape: Sequence[int], loss: str, *, pair: Pair | None = None
) -> Adapter:
    """Say how a guided layer and its hint meet under a hint loss.

    Maps are average-pooled to the smaller grid, tokens become the grid of their places (without the class
    token) where they meet maps, and a vector is met by the mean over positions.

    Args:
        guided_shape: the student layer's output for one image: (channels, height, width), (tokens, width) or
            (width,).
        hint_shape: the same of the hint point.
        loss: name of a hint loss; of ``at+crd`` the one that the pair has, see `loss_of_pair`.
        pair: names the two layers in messages.

    Raises:
        InputError: the loss is unknown, or it cannot compare such layers.

    Example:
        >>> describe_adapter((32, 8, 8), (64, 16, 16), "fitnet").text
        '1x1 convolution 32 -> 64 + batch norm, hint pooled 16x16 -> 8x8'
    """
    facts = hint_facts(loss)
    if loss == "at+crd":
        raise AssertionError("each pair of `at+crd` has a loss of its own, see `loss_of_pair`")
    widths = (_width(guided_shape), _width(hint_shape))
    if facts.grid == "own":
        text = f"none: all of {prod(guided_shape):,} and {prod(hint_shape):,} numbers"
        return Adapter(text, 0, "any", None, widths)
    if facts.grid == "pooled":
        return _pooled(guided_shape, hint_shape, widths, embedded=facts.adapter)
    form, grid = _meeting(guided_shape, hint_shape, loss, pair)
    network, parameters = _regressor(form, widths, loss) if facts.adapter else ("", 0)
    steps = [network, *_poolings(guided_shape, hint_shape, form, grid)]
    return Adapter(", ".join(filter(None, steps)) or "none", parameters, form, grid, widths)


def describe_adapters(
    pairs: Sequence[Pair],
    guided_shapes: Mapping[str, Sequence[int]],
    hint_shapes: Mapping[str, Sequence[int]],
    loss: str,
) -> list[Adapter]:
    """Say for every pair how its two layers meet.

    Args:
        pairs: in depth order.
        guided_shapes: student layer -> shape for one image.
        hint_shapes: teacher layer -> shape for one image.
        loss: name of a hint loss, ``at+crd`` included.

    Raises:
        InputError: the loss is unknown, or it cannot compare the layers of a pair.

    Example:
        >>> pairs = [Pair("t1", "s1"), Pair("t2", "s2")]
        >>> guided, hint = {"s1": (8, 4, 4), "s2": (16, 2, 2)}, {"t1": (8, 4, 4), "t2": (32, 2, 2)}
        >>> [one.text for one in describe_adapters(pairs, guided, hint, "at+crd")]
        ['none', 'mean over positions, linear 16 -> 128 and 32 -> 128']
    """
    return [
        describe_adapter(
            guided_shapes[pair.guided],
            hint_shapes[pair.hint],
            loss_of_pair(loss, index, len(pairs)),
            pair=pair,
        )
        for index, pair in enumerate(pairs)
    ]


def loss_of_pair(loss: str, index: int, count: int) -> str:
    """Return the loss that a pair has: in ``at+crd`` the last one has ``crd``, the others ``at``.

    Raises:
        InputError: ``at+crd`` for a single pair.

    Example:
        >>> [loss_of_pair("at+crd", i, 3) for i in range(3)]
        ['at', 'at', 'crd']
    """
    if loss != "at+crd":
        return loss
    if count < 2:
        raise InputError(
            "the hint loss `at+crd` is `at` at the first pairs and `crd` at the last one and needs at least "
            f"2 pairs; found {count}; add a hint point, or choose `at` or `crd`"
        )
    return "crd" if index == count - 1 else "at"


def token_grid(tokens: int) -> tuple[int, int] | None:
    """Return how many tokens in front stand for no place, and the side of the square that the rest fills.

    Example:
        >>> token_grid(197), token_grid(64), token_grid(7)
        ((1, 14), (0, 8), None)
    """
    for skipped in (0, 1, 2):
        side = round((tokens - skipped) ** 0.5) if tokens > skipped else 0
        if side and side * side == tokens - skipped:
            return skipped, side
    return None


def _width(shape: Sequence[int]) -> int:
    """Return the number of channels: in front in maps, behind in tokens."""
    return shape[-1] if len(shape) == 2 else shape[0]


def _grid(shape: Sequence[int]) -> tuple[int, int] | None:
    if len(shape) == 3:
        return shape[1], shape[2]
    found = token_grid(shape[0]) if len(shape) == 2 else None
    return (found[1], found[1]) if found else None


def _pooled(
    guided_shape: Sequence[int], hint_shape: Sequence[int], widths: tuple[int, int], *, embedded: bool
) -> Adapter:
    """Describe losses that see one vector an image."""
    steps = ["mean over positions"] if len(guided_shape) > 1 or len(hint_shape) > 1 else []
    if embedded:
        steps += [f"linear {widths[0]} -> {EMBEDDING} and {widths[1]} -> {EMBEDDING}"]
    parameters = sum((width + 1) * EMBEDDING for width in widths) if embedded else 0
    return Adapter(", ".join(steps) or "none", parameters, "rows", None, widths)


def _meeting(
    guided_shape: Sequence[int], hint_shape: Sequence[int], loss: str, pair: Pair | None
) -> tuple[Form, tuple[int, int] | None]:
    """Return the form in which two layers are compared position by position."""
    regressed = hint_facts(loss).adapter
    if regressed and 1 in (len(guided_shape), len(hint_shape)):
        return "rows", None
    if regressed and len(guided_shape) == len(hint_shape) == 2 and guided_shape[0] == hint_shape[0]:
        return "tokens", None
    first, second = _grid(guided_shape), _grid(hint_shape)
    grid = (min(first[0], second[0]), min(first[1], second[1])) if first and second else None
    if grid and (regressed or prod(grid) > 1):
        return "maps", grid
    raise InputError(_refusal(guided_shape, hint_shape, loss, pair, grid))


def _refusal(
    guided_shape: Sequence[int],
    hint_shape: Sequence[int],
    loss: str,
    pair: Pair | None,
    grid: tuple[int, int] | None,
) -> str:
    hint, guided = (f" `{pair.hint}`", f" `{pair.guided}`") if pair else ("", "")
    least = " with at least 2 positions in common" if grid else ""
    flexible = ", ".join(f"`{name}`" for name, facts in HINT_FACTS.items() if facts.grid in ("own", "pooled"))
    return (
        f"the hint loss `{loss}` compares maps (c, h, w) or square grids of tokens{least}; found "
        f"{tuple(hint_shape)} at the hint point{hint} and {tuple(guided_shape)} at the guided layer{guided}; "
        f"choose another layer for this pair, or one of {flexible}, which take any shapes"
    )


def _regressor(form: Form, widths: tuple[int, int], loss: str) -> tuple[str, int]:
    """Return the small network's description and size."""
    guided, hint = widths
    kind = "1x1 convolution" if form == "maps" else "linear"
    if loss == "vid":
        plural = f"{kind}s" if form == "maps" else "linear layers"
        variances = hint
        return f"three {plural} {guided} -> {hint}", guided * hint + 2 * hint * hint + variances
    if form == "tokens":
        return f"linear {guided} -> {hint} + layer norm", guided * hint + 3 * hint
    return f"{kind} {guided} -> {hint} + batch norm", guided * hint + 2 * hint


def _poolings(
    guided_shape: Sequence[int], hint_shape: Sequence[int], form: Form, grid: tuple[int, int] | None
) -> list[str]:
    """Return what is done to each side before it is compared."""
    steps = []
    for side, shape in (("hint", hint_shape), ("guided", guided_shape)):
        if form == "rows" and len(shape) > 1:
            steps.append(f"{side}: mean over positions")
        if form != "maps":
            continue
        own = _grid(shape)
        if len(shape) == 2:
            steps.append(f"{side} tokens as {own[0]}x{own[1]}")
        if own != grid:
            steps.append(f"{side} pooled {own[0]}x{own[1]} -> {grid[0]}x{grid[1]}")
    return steps
