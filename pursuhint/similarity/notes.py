"""How far a layer's row of the matrix, or the value of one pair, can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from pursuhint.similarity.metric import Metric

Status = Literal["ok", "rank-deficient", "few samples", "constant"]
"""The reservations, from none to the most serious."""


@dataclass(frozen=True)
class LayerNote:
    """How far one layer's row of the matrix can be trusted.

    Attributes:
        width: number of features.
        effective_rank: number of directions in which the features vary; None where it was not measured.
        samples_per_feature: images divided by width.
        status: ``"ok"``, or the most serious reservation.
        text: the same for people, in one line.
    """

    width: int
    effective_rank: int | None
    samples_per_feature: float
    status: Status
    text: str


@dataclass(frozen=True)
class PairNote:
    """How far the similarity of two layers can be trusted.

    Attributes:
        status: the more serious of the two layers' reservations.
        text: for people, in one line.
        floor: what two unrelated layers of these ranks score by chance on average; None: 0 on average, or a
            layer does not vary.
    """

    status: Status
    text: str
    floor: float | None


def note_layer(width: int, rank: int, samples: int, metric: Metric) -> LayerNote:
    """Say how far a layer's similarities can be trusted.

    Args:
        width: number of features.
        rank: number of directions in which they vary.
        samples: number of images.
        metric: what is measured.

    Example:
        >>> from pursuhint.similarity.registry import METRICS
        >>> note_layer(64, 32, 1280, METRICS["r2_cca"]).text
        '32 of 64 directions vary, the others are dead or dependent and do not count'
    """
    ratio = samples / width
    if rank == 0:
        text = f"no feature varies over {samples:,} images; left out of the matrix and of the clusters"
        return LayerNote(width, 0, ratio, "constant", text)
    parts = []
    if rank < min(width, samples - 1):
        parts.append(f"{rank} of {width} directions vary, the others are dead or dependent and do not count")
    if ratio < metric.images_per_feature:
        parts.append(
            f"{ratio:.3g} images per feature: unrelated layers this wide score about "
            f"{chance(metric, rank, rank, samples):.2f}; take "
            f"{ceil(metric.images_per_feature * width):,} images or more"
        )
        return LayerNote(width, rank, ratio, "few samples", "; ".join(parts))
    if parts:
        return LayerNote(width, rank, ratio, "rank-deficient", parts[0])
    return LayerNote(width, rank, ratio, "ok", f"all {width} directions vary, {ratio:.3g} images per feature")


def note_pair(
    names: tuple[str, str], notes: tuple[LayerNote, LayerNote], samples: int, metric: Metric
) -> PairNote:
    """Say how far the similarity of two layers can be trusted.

    Args:
        names: of the two layers.
        notes: of the two layers.
        samples: number of images that were used.
        metric: what was measured.
    """
    both = list(zip(names, notes, strict=True))
    constant = [name for name, note in both if note.status == "constant"]
    if constant:
        named = " and ".join(f"`{name}`" for name in dict.fromkeys(constant))
        return PairNote("constant", f"not compared: nothing varies in {named}", None)
    status = max((note.status for note in notes), key=Status.__args__.index)
    floor = chance(metric, notes[0].effective_rank, notes[1].effective_rank, samples)
    said = [f"`{name}`: {note.text}" for name, note in dict(both).items() if note.status != "ok"]
    if floor is not None:
        ranks = f"{notes[0].effective_rank} and {notes[1].effective_rank}"
        said.insert(0, f"unrelated layers of ranks {ranks} score about {floor:.2g} on {samples:,} images")
    return PairNote(status, "; ".join(said) or "unrelated layers score 0 on average", floor)


def chance(metric: Metric, first: int, second: int, samples: int) -> float | None:
    """Return what unrelated layers of these ranks score by chance on average; None: 0."""
    return None if metric.floor is None else min(1.0, metric.floor(first, second, samples))
