"""What is known of one pair of layers: how alike they are by every metric at hand, and how exact that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pursuhint.analysis import AnalysisFolder
from pursuhint.analysis.cross import CrossMatrix
from pursuhint.errors import InputError, unknown
from pursuhint.similarity import (
    METRICS,
    Blocks,
    FeatureBlocks,
    SimilarityMatrix,
    matrix_from_moments,
    metrics_of,
)
from pursuhint.similarity.notes import chance, note_layer, note_pair
from pursuhint.stability import jackknife, leave_one_out

NARROW = 384
"""Directions of two layers together up to which an interval takes less than a fifth of a second."""
LEAST = 0.02
"""Similarity above twice the chance level below which a pair is called unrelated."""
ALTERNATIVES = 3
"""Layers that are named as more like each of the two."""


@dataclass(frozen=True)
class Reading:
    """The similarity of a pair by one metric.

    Attributes:
        metric: key in ``METRICS``.
        value: of the pair.
        floor: what two unrelated layers of their ranks score by chance on average; None: 0.
        interval: 95 %, over other images; None where it was not asked for or would take long.
    """

    metric: str
    value: float
    floor: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class PairFacts:
    """What is known of a pair of layers.

    Attributes:
        layers: the two names.
        reading: by the metric in question.
        others: by the other metrics that were at hand, in the order in which they are offered.
        less_alike: share of all pairs that are less alike than these two; None for a layer with itself.
        alternatives: for either layer the ones that it is most like, with their similarities; the other one
            of the pair may be among them.
        note: how far the value can be trusted, in one line.
        whose: of which network either layer is, such as "The teacher's "; empty where there is one only.
    """

    layers: tuple[str, str]
    reading: Reading
    others: tuple[Reading, ...]
    less_alike: float | None
    alternatives: tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]
    note: str
    whose: tuple[str, str] = ("", "")

    @property
    def sentence(self) -> str:
        """The same in words."""
        first, second = (f"{whose}{name}" for whose, name in zip(self.whose, self.layers, strict=True))
        title, reading = METRICS[self.reading.metric].title, self.reading
        if self.less_alike is None:
            return f"{first} with itself: as alike as can be, {reading.value:.3f} by {title}."
        said = f"{first} and {second} are {reading.value:.3f} alike by {title}, "
        said += f"more than {100 * self.less_alike:.0f} % of all pairs"
        floor = reading.floor or 0.0
        surely = reading.interval[0] if reading.interval else reading.value
        if surely > 2 * floor + LEAST:
            return f"{said}; unrelated layers would score about {floor:.2g}."
        return f"{said}. That can be chance: unrelated layers would score about {floor:.2g}."


def pair_facts(
    analysis: AnalysisFolder, first: str, second: str, *, metric: str, samples: int | None = None
) -> PairFacts:
    """Gather what is known of two layers of a network, in a fraction of a second.

    Args:
        analysis: of the network.
        first: name of a layer.
        second: name of another one, or the same.
        metric: key in ``METRICS``: the one in question, which gets the interval.
        samples: use the first probe images only; all when None.

    Returns:
        The facts. Metrics of distances, which take long, are among them only where their matrix was kept.

    Raises:
        InputError: unknown layer or metric, or a layer in which nothing varies.
    """
    matrix = analysis.similarity(metric, samples=samples)
    note = matrix.pair_note(first, second)
    row, column = _place(matrix, first), _place(matrix, second)
    value, pairs = float(matrix.values[row, column]), matrix.values[np.triu_indices(len(matrix.layers), k=1)]
    others, interval = (), None
    if row != column:
        others = _others(analysis, (first, second), metric, samples)
        if sum(matrix.notes[name].effective_rank or 0 for name in (first, second)) <= NARROW:
            blocks = analysis.blocks(samples=samples, layers=[first, second])
            interval = _interval(blocks, metric, first, second)
    return PairFacts(
        (first, second),
        Reading(metric, value, note.floor, interval),
        others,
        None if row == column else float((pairs < value).mean()),
        (
            _most_like(matrix.values[row], matrix.layers, besides=first),
            _most_like(matrix.values[column], matrix.layers, besides=second),
        ),
        note.text,
    )


def cross_pair_facts(
    teacher: AnalysisFolder, student: AnalysisFolder, cross: CrossMatrix, first: str, second: str
) -> PairFacts:
    """Gather what is known of a layer of one network beside one of another network.

    Args:
        teacher: the network of the rows.
        student: the network of the columns.
        cross: both networks compared, see `pursuhint.analysis.cross.cross_matrix`.
        first: name of a layer of the teacher.
        second: name of one of the student.

    Returns:
        The facts; `less_alike` is the share of the cells of the cross matrix.

    Raises:
        InputError: a layer that is not in the matrix.
    """
    if first not in cross.rows:
        raise unknown("layer of the first network", first, cross.rows)
    if second not in cross.columns:
        raise unknown("layer of the second network", second, cross.columns)
    row, column = cross.rows.index(first), cross.columns.index(second)
    value, measure = float(cross.values[row, column]), METRICS[cross.metric]
    moments = [one.moments().subset([name]) for one, name in ((teacher, first), (student, second))]
    ranks = [one.ranks[0] for one in moments]
    others, interval = (), None
    if sum(ranks) <= NARROW:
        both = {"first": teacher.features(first), "second": student.features(second)}
        blocks = FeatureBlocks(both)
        interval = _interval(blocks, cross.metric, "first", "second")
        known = [name for name, one in METRICS.items() if one.family == "moments" and name != cross.metric]
        others = tuple(
            Reading(name, float(blocks.values(name)[0, 1]), chance(METRICS[name], *ranks, cross.samples))
            for name in known
        )
    notes = [note_layer(one.widths[one.layers[0]], one.ranks[0], cross.samples, measure) for one in moments]
    note = note_pair((first, second), tuple(notes), cross.samples, measure)
    return PairFacts(
        (first, second),
        Reading(cross.metric, value, note.floor, interval),
        others,
        float((cross.values < value).mean()),
        (_most_like(cross.values[row], cross.columns), _most_like(cross.values[:, column], cross.rows)),
        note.text,
        ("The teacher's ", "the student's "),
    )


def _place(matrix: SimilarityMatrix, name: str) -> int:
    if name in matrix.excluded:
        raise InputError(f"`{name}` cannot be compared: {matrix.excluded[name]}; choose another layer")
    return matrix.layers.index(name)


def _others(
    analysis: AnalysisFolder, pair: tuple[str, str], metric: str, samples: int | None
) -> tuple[Reading, ...]:
    """Read the pair under the other metrics: from kept matrices, else from the moments of the two."""
    allowed = [name for name in metrics_of(analysis.card.pooling) if name != metric]
    if not allowed:
        return ()
    moments = analysis.moments(samples=samples).subset(pair)
    found = []
    for name in allowed:
        matrix = analysis.kept_similarity(name, samples=samples)
        if matrix is None and METRICS[name].family == "moments":
            matrix = matrix_from_moments(moments, metric=name, pooling=analysis.card.pooling)
        if matrix is not None:
            places = [matrix.layers.index(layer) for layer in pair]
            found.append(Reading(name, float(matrix.values[*places]), matrix.pair_note(*pair).floor))
    return tuple(found)


def _interval(blocks: Blocks, metric: str, first: str, second: str) -> tuple[float, float] | None:
    """Return the 95 % interval of a pair; None for a metric of distances, or too few images for blocks."""
    if METRICS[metric].family != "moments":
        return None
    row, column = blocks.layers.index(first), blocks.layers.index(second)
    try:
        full, left_out = blocks.values(metric)[row, column], leave_one_out(blocks, metric)[:, row, column]
    except InputError:  # a layer that does not vary without one of the blocks
        return None
    return jackknife(full, left_out, bounds=METRICS[metric].bounds).interval


def _most_like(
    values: np.ndarray, layers: Sequence[str], *, besides: str | None = None
) -> tuple[tuple[str, float], ...]:
    order = [int(other) for other in np.argsort(-values, kind="stable") if layers[other] != besides]
    return tuple((layers[other], float(values[other])) for other in order[:ALTERNATIVES])
