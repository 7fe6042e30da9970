"""Several hint plans of one teacher beside each other: what each covers, and how far their clusters agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import PRESETS
from pursuhint.coverage import CoverageReport, coverage, coverage_report
from pursuhint.errors import InputError
from pursuhint.plan import HintPlan
from pursuhint.similarity import METRICS
from pursuhint.stability import adjusted_rand, jackknife, leave_one_out, measure_coverage


@dataclass(frozen=True)
class ComparedPlan:
    """One plan of a comparison.

    Attributes:
        name: as given, such as its file.
        method: how its clusters were found.
        overrides: number of changes by hand.
        hint_points: in depth order.
        coverage: with its interval, beside the best and random plans of as many hint points.
    """

    name: str
    method: str
    overrides: int
    hint_points: tuple[str, ...]
    coverage: CoverageReport


@dataclass(frozen=True)
class PlanComparison:
    """Plans of one teacher, measured by one metric on the same images.

    Attributes:
        metric: key in ``METRICS``.
        images: number of probe images.
        plans: in the order given.
        agreement: adjusted Rand index between the clusters of any two plans, 1 = the same clusters.
    """

    metric: str
    images: int
    plans: tuple[ComparedPlan, ...]
    agreement: tuple[tuple[float, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the same as plain values, ready for JSON."""
        return asdict(self)


def compare_plans(
    analysis: AnalysisFolder, plans: Mapping[str, HintPlan], *, metric: str | None = None, seed: int = 0
) -> PlanComparison:
    """Measure plans of one teacher by the same metric on the same images.

    Args:
        analysis: of that teacher.
        plans: name -> plan, one or more.
        metric: key in ``METRICS``; that of the first plan when None.
        seed: of random plans and of the search for the best one.

    Returns:
        The comparison.

    Raises:
        InputError: a plan of another teacher, or one whose hint points the analysis does not hold.
    """
    if not plans:
        raise InputError("there is nothing to compare: name at least one plan")
    for plan in plans.values():
        plan.check_teacher(analysis.card.teacher.hash)
    metric = metric or next(iter(plans.values())).metric
    blocks = analysis.blocks()
    full, left_out = blocks.values(metric), leave_one_out(blocks, metric)
    bounds = METRICS[metric].bounds
    compared = tuple(
        ComparedPlan(
            name,
            plan.method,
            len(plan.overrides),
            plan.hint_points,
            measure_coverage(full, left_out, blocks.layers, plan.hint_points, bounds=bounds, seed=seed),
        )
        for name, plan in plans.items()
    )
    agreement = tuple(tuple(_agreement(a, b) for b in plans.values()) for a in plans.values())
    return PlanComparison(metric, blocks.samples, compared, agreement)


@dataclass(frozen=True)
class PlanCoverage:
    """The coverage of one choice of hint points.

    Attributes:
        name: what it is, for people.
        hint_points: in depth order; empty for the mean of random choices.
        value: mean similarity of a layer to its nearest hint point.
        half_width: of its 95 % interval over other probe images; None where it was not measured.
    """

    name: str
    hint_points: tuple[str, ...]
    value: float
    half_width: float | None = None


def beside_presets(
    analysis: AnalysisFolder,
    plan: HintPlan,
    *,
    samples: int | None = None,
    left_out: np.ndarray | None = None,
    seed: int = 0,
) -> tuple[PlanCoverage, ...]:
    """Return the coverage of a plan beside that of the plans one would think of.

    Args:
        analysis: of the plan's teacher.
        plan: measured by its own metric.
        samples: use the first probe images only; all when None.
        left_out: what `AnalysisFolder.left_out` returns for them, for the intervals; None for none.
        seed: of random plans and of the search for the best one.

    Returns:
        The best choice of as many layers, the plan where it was changed by hand (``Mine``), the automatic
        one, the stage ends, as many layers uniform in depth, and the mean of as many random ones. Coverage
        rises with every hint point: automatic plan and stage ends may have another number than the plan.
    """
    similarity = analysis.similarity(plan.metric, samples=samples)
    layers = [layer for layer in analysis.layers if layer.name in similarity.layers]
    report = coverage_report(similarity.values, similarity.layers, plan.hint_points, seed=seed)

    def covered(name: str, hints: Sequence[str]) -> PlanCoverage:
        indices = [similarity.layers.index(hint) for hint in hints]
        value = coverage(similarity.values, indices)
        if left_out is None:
            return PlanCoverage(name, tuple(hints), value)
        measured = jackknife(value, [coverage(one, indices) for one in left_out])
        return PlanCoverage(name, tuple(hints), value, float(measured.half_width))

    mine = [covered("Mine", plan.hint_points)] if plan.hint_points != plan.centres else []
    presets = [
        covered(PRESETS[name].title, PRESETS[name].choose(layers, report.count, seed, ()))
        for name in ("stage_ends", "uniform")
    ]
    best = "Best possible" if report.best_exact else "Best found"
    return (
        covered(best, report.best_layers),
        *mine,
        covered("Automatic", plan.centres),
        *presets,
        PlanCoverage("Random, on average", (), report.random_mean),
    )


def _agreement(first: HintPlan, second: HintPlan) -> float:
    """Compare the clusters of two plans over the layers that both of them hold."""
    labels = [
        {name: number for number, cluster in enumerate(plan.clusters) for name in cluster}
        for plan in (first, second)
    ]
    common = [name for name in first.layers if name in labels[1]]
    if not common:
        raise InputError("two of the plans have no layer in common: make them from the same candidate layers")
    return adjusted_rand(*([one[name] for name in common] for one in labels))
