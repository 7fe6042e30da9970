"""How large the targets are that a teacher would keep, and whether they may be kept; no torch here."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pursuhint.adapters import Adapter, describe_adapters, loss_of_pair
from pursuhint.catalogue import hint_facts
from pursuhint.files import in_bytes
from pursuhint.pairs import Pair

Shapes = Mapping[str, tuple[int, ...]]
"""Name of a target -> shape of one image's row."""
LOGITS = "logits"
SPARE = 1 << 30
"""Bytes of disk that kept targets leave free."""


def bytes_needed(shapes: Shapes, *, images: int, views: int) -> int:
    """Return the bytes that the targets of all views take, in half precision.

    Example:
        >>> bytes_needed({"logits": (10,), "layer1.8": (32 * 32,)}, images=45_000, views=2)
        186120000
    """
    return 2 * images * views * sum(math.prod(shape) for shape in shapes.values())


def target_shapes(
    pairs: Sequence[Pair],
    guided_shapes: Mapping[str, Sequence[int]],
    hint_shapes: Mapping[str, Sequence[int]],
    loss: str,
    classes: int,
) -> dict[str, tuple[int, ...]]:
    """Return what is kept of an image before anything is built.

    Args:
        pairs: in depth order; not looked at for the hint loss ``none``.
        guided_shapes: student layer -> shape for one image.
        hint_shapes: teacher layer -> shape for one image.
        loss: name of a hint loss, or ``none``.
        classes: number of logits.

    Raises:
        InputError: the loss cannot compare the layers of a pair.

    Example:
        >>> target_shapes([Pair("t", "s")], {"s": (8, 4, 4)}, {"t": (16, 8, 8)}, "at", 10)
        {'logits': (10,), 't->s': (16,)}
    """
    kept: dict[str, tuple[int, ...]] = {LOGITS: (classes,)}
    if loss == "none":
        return kept
    adapters = describe_adapters(pairs, guided_shapes, hint_shapes, loss)
    for index, (pair, adapter) in enumerate(zip(pairs, adapters, strict=True)):
        own = loss_of_pair(loss, index, len(pairs))
        kept[pair.name] = _target_shape(own, adapter, tuple(hint_shapes[pair.hint]))
    return kept


def _target_shape(loss: str, adapter: Adapter, hint: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of what a loss needs of a hint point, see `pursuhint.losses.HintLoss.target`."""
    width = adapter.widths[1]
    if hint_facts(loss).grid == "own":
        return (math.prod(hint),)
    if adapter.form == "rows":
        return (width,)
    if loss == "at":
        return (math.prod(adapter.grid),)
    if loss == "nst":
        return width, math.prod(adapter.grid)
    return (width, *adapter.grid) if adapter.form == "maps" else hint


def why_not_kept(needed: int, views: int, *, limit: float, folder: Path) -> str:
    """Say why targets may not be kept; nothing when they may.

    Args:
        needed: bytes of the targets.
        views: how many views of an image they are of.
        limit: gigabytes that they may take.
        folder: where they would be; what is there of them counts.
    """
    most = int(limit * 1e9)
    if needed > most:
        return (
            f"{views} views take {in_bytes(needed)}, more than the {in_bytes(most)} of `--targets-limit`; "
            "raise it, keep fewer views or choose a hint loss with smaller targets"
        )
    there = sum(path.stat().st_size for path in folder.glob("*.f16"))
    existing = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(existing).free - SPARE
    if needed - there > free:
        return f"{in_bytes(needed)} are needed and {in_bytes(max(0, free))} of disk can be used; free some"
    return ""
