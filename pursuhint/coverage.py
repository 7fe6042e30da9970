"""Coverage: how well hint points stand for all layers, beside the best and the random choice of as many."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pursuhint.errors import InputError, unknown

MOST_COMBINATIONS = 400_000
"""Plans that are all tried, up to 4 of 54 layers: 0.4 s, where importing a search takes more than 2."""

CHUNK = 4096
"""Plans that are tried together: their similarities stay in the cache."""

STARTS = 10
"""Random starts of the search where there are more plans than that."""


@dataclass(frozen=True)
class BestPlan:
    """The hint points that cover the layers best.

    Attributes:
        value: their coverage.
        hints: their indices, ascending.
        exact: whether all plans were tried; otherwise it is the best that a search found.
    """

    value: float
    hints: tuple[int, ...]
    exact: bool


@dataclass(frozen=True)
class CoverageReport:
    """The coverage of a plan, with what it is to be compared with: plans of as many hint points.

    Attributes:
        value: mean over all layers of the similarity to the most similar hint point.
        interval: its 95 % interval over other probe images; None where it was not measured.
        best: the largest coverage that `count` hint points can have, or that a search found.
        best_layers: the hint points that reach it, in depth order.
        best_exact: whether all plans were tried.
        random_mean: mean coverage of random plans.
        random_interval: between which 90 % of the random plans lie.
        count: K, the number of hint points; coverage rises with every one, so it compares at equal K only.
    """

    value: float
    interval: tuple[float, float] | None
    best: float
    best_layers: tuple[str, ...]
    best_exact: bool
    random_mean: float
    random_interval: tuple[float, float]
    count: int


def coverage(values: np.ndarray, hints: Iterable[int]) -> float:
    """Return the mean over layers of the similarity to the nearest hint point.

    Layers in which nothing varies have no similarity: they are missing from the matrix and do not count.

    Args:
        values: (L, L) similarities.
        hints: indices of the hint points.

    Returns:
        At most 1, and never smaller when a hint point is added.

    Raises:
        InputError: no hint point, or an index outside 0..L-1.

    Example:
        >>> coverage(np.array([[1.0, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 1.0]]), [0])
        0.5833333333333334
    """
    chosen = [int(index) for index in hints]
    if not chosen or min(chosen) < 0 or max(chosen) >= len(values):
        raise InputError(
            f"coverage needs hint points with indices from 0 to {len(values) - 1}: found {chosen}; "
            "name layers of this matrix"
        )
    return float(values[:, chosen].max(axis=1).mean())


def swap_changes(values: np.ndarray, hints: Iterable[int], hint: int) -> np.ndarray:
    """Return by how much the coverage changes when each layer takes the place of one hint point.

    Args:
        values: (L, L) similarities.
        hints: indices of the hint points.
        hint: the one of them that gives way.

    Returns:
        (L,): 0 for the hint point itself; for another hint point what removing this one loses.

    Raises:
        InputError: no hint point, an index outside 0..L-1, or a `hint` that is none of them.

    Example:
        >>> values = np.array([[1.0, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 1.0]])
        >>> swap_changes(values, [0], 0).round(3).tolist()
        [0.0, 0.083, 0.0]
    """
    chosen = list(dict.fromkeys(int(index) for index in hints))
    coverage(values, chosen)  # refuses what it cannot measure
    if hint not in chosen:
        raise InputError(
            f"only a hint point can be swapped: found the layer of index {hint}, where the hint points are "
            f"{chosen}; name one of them"
        )
    others = [index for index in chosen if index != hint]
    reached = values[:, others].max(axis=1, initial=-np.inf)
    covered = np.maximum(reached[:, None], values).mean(axis=0)
    return covered - covered[hint]


def best_plan(values: np.ndarray, count: int, *, seed: int = 0) -> BestPlan:
    """Return the hint points of largest coverage.

    Up to ``MOST_COMBINATIONS`` plans are all tried; beyond, the largest coverage is the least total distance
    of k-medoids, which FasterPAM searches from the greedy start and some random ones.

    Args:
        values: (L, L) similarities.
        count: K, 1..L.
        seed: of the random starts.

    Returns:
        The plan; of equals the shallower one.

    Raises:
        InputError: K outside 1..L.

    Example:
        >>> best_plan(np.array([[1.0, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 1.0]]), 1).hints
        (1,)
    """
    _check_count(count, len(values))
    exact = math.comb(len(values), count) <= MOST_COMBINATIONS
    plans = _all_plans(len(values), count) if exact else _found_plans(values, count, seed)
    totals = _coverages(values, plans)
    first = int((totals >= totals.max() - 1e-12).argmax())  # rounding does not decide between equals
    return BestPlan(float(totals[first]), tuple(plans[first].tolist()), exact)


def random_coverage(
    values: np.ndarray, count: int, *, draws: int = 1000, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """Return the coverage of random plans: its mean, and its 5 % and 95 % quantiles.

    Args:
        values: (L, L) similarities.
        count: K, 1..L.
        draws: number of plans.
        seed: of the draws.

    Raises:
        InputError: K outside 1..L.
    """
    _check_count(count, len(values))
    shuffled = np.random.default_rng(seed).random((draws, len(values))).argsort(axis=1)
    totals = _coverages(values, shuffled[:, :count])
    low, high = np.quantile(totals, [0.05, 0.95])
    return float(totals.mean()), (float(low), float(high))


def coverage_report(
    values: np.ndarray,
    layers: Sequence[str],
    hint_points: Sequence[str],
    *,
    interval: tuple[float, float] | None = None,
    seed: int = 0,
) -> CoverageReport:
    """Compare the coverage of hint points with the best and with random ones of the same number.

    Args:
        values: (L, L) similarities.
        layers: L names in depth order.
        hint_points: names of the hint points.
        interval: of the coverage, where it was measured.
        seed: of random plans and of the search.

    Returns:
        The report.

    Raises:
        InputError: no hint point, or one that is no layer of the matrix.
    """
    for name in hint_points:
        if name not in layers:
            raise unknown("hint point", name, layers)
    hints = sorted({list(layers).index(name) for name in hint_points})
    value = coverage(values, hints)
    best = best_plan(values, len(hints), seed=seed)
    random_mean, random_interval = random_coverage(values, len(hints), seed=seed)
    return CoverageReport(
        value=value,
        interval=interval,
        best=max(best.value, value),
        best_layers=tuple(layers[index] for index in (best.hints if best.value >= value else hints)),
        best_exact=best.exact,
        random_mean=random_mean,
        random_interval=random_interval,
        count=len(hints),
    )


def _coverages(values: np.ndarray, plans: np.ndarray) -> np.ndarray:
    """Return the coverage of each of (P, K) plans."""
    totals = np.empty(len(plans))
    for start in range(0, len(plans), CHUNK):
        first, *others = plans[start : start + CHUNK].T
        nearest = values[first]
        for hints in others:
            np.maximum(nearest, values[hints], out=nearest)
        totals[start : start + CHUNK] = nearest.mean(axis=1)
    return totals


def _all_plans(layers: int, count: int) -> np.ndarray:
    plans = itertools.chain.from_iterable(itertools.combinations(range(layers), count))
    return np.fromiter(plans, dtype=np.intp, count=math.comb(layers, count) * count).reshape(-1, count)


def _found_plans(values: np.ndarray, count: int, seed: int) -> np.ndarray:
    import kmedoids  # takes two seconds, and only a search needs it

    distance = 1.0 - values
    starts = [("build", None), *(("random", seed + start) for start in range(STARTS))]
    found = [
        kmedoids.fasterpam(distance, count, init=init, random_state=random, n_cpu=1).medoids.astype(int)
        for init, random in starts
    ]
    return np.sort(found, axis=1)


def _check_count(count: int, layers: int) -> None:
    if not 1 <= count <= layers:
        raise InputError(
            f"the number of hint points must lie between 1 and the number of layers, {layers}: found "
            f"{count}; choose at most {layers}"
        )
