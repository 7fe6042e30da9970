"""Several hint plans of one teacher beside each other: what each covers, and how far their clusters agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pursuhint.analysis import AnalysisFolder
from pursuhint.coverage import CoverageReport
from pursuhint.errors import InputError
from pursuhint.plan import HintPlan
from pursuhint.similarity import METRICS
from pursuhint.stability import adjusted_rand, leave_one_out, measure_coverage


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
