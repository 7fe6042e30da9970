"""Commands about the choice of hint points: stability, compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pursuhint.analysis import AnalysisSettings
from pursuhint.cli import options as o
from pursuhint.cli.analysis import analysed, opened
from pursuhint.cli.output import out, print_json, progress_bars, table
from pursuhint.clustering import PRESETS
from pursuhint.comparison import PlanComparison, compare_plans
from pursuhint.coverage import CoverageReport
from pursuhint.errors import InputError
from pursuhint.hints import choose_hints
from pursuhint.home import analyses_folder
from pursuhint.plan import HintPlan
from pursuhint.stability import Stability, StabilityQuestion

Metrics = Annotated[
    list[str] | None,
    typer.Option("--also", help="Compare with the clusters of this metric, too (repeatable)."),
]


@o.takes(settings=o.analysis_settings, choice=o.choice_options)
def stability(
    settings: AnalysisSettings,
    choice: dict[str, Any],
    resamples: Annotated[int, typer.Option(help="Subsets of 80 % of the probe images.")] = 100,
    also: Metrics = None,
    analysis: o.AnalysisDir = None,
    as_json: o.AsJson = False,
) -> None:
    """Say how far hint points depend on which probe images were drawn; the teacher is not run again."""
    folder = opened(analysis, settings, choice["metric"], quiet=as_json)
    plan = choose_hints(folder, samples=settings.samples, **choice)
    question = StabilityQuestion(
        plan.metric,
        plan.method,
        len(plan.clusters),
        resamples,
        choice["seed"],
        hint_points=plan.hint_points if plan.method in PRESETS else None,
        metrics=tuple(also or ()),
    )
    with progress_bars(quiet=as_json) as progress:
        found = folder.stability(question, samples=settings.samples, progress=progress)
    if as_json:
        widths = found.half_widths
        print_json(found.as_dict() | {"half_widths": None if widths is None else widths.round(6).tolist()})
    else:
        _print_stability(found)


def compare(
    others: Annotated[list[Path] | None, typer.Argument(help="More plans.", metavar="[PLAN]...")] = None,
    plans: Annotated[list[Path] | None, typer.Option(help="A plan, as `hints --out` writes it.")] = None,
    metric: Annotated[str | None, typer.Option(help="Measure by this one; the first plan's without.")] = None,
    analysis: o.AnalysisDir = None,
    weights: o.WeightsFile = None,
    data: Annotated[str | None, typer.Option(help="Data in place of the plan's.")] = None,
    seed: o.Seed = 0,
    as_json: o.AsJson = False,
) -> None:
    """Compare plans of one teacher: what each covers, beside the best and a random plan of its size."""
    files = [*(plans or ()), *(others or ())]
    if not files:
        raise InputError("name the plans to compare: `pursuhint compare --plans a.json b.json`")
    loaded = {str(file): HintPlan.load(file) for file in files}
    first = next(iter(loaded.values()))
    if analysis is not None:
        folder = opened(analysis, AnalysisSettings(), metric or first.metric, quiet=as_json)
    else:
        settings = AnalysisSettings(
            teacher=first.teacher.spec,
            weights=str(weights.expanduser().resolve()) if weights else first.teacher.weights,
            data=data or first.data,
            preprocess=first.teacher.preprocess,
            samples=len(first.sample_ids),
            pooling=first.pooling,
            include=first.layers,
            allow_weak_teacher=True,
        )
        folder = analysed(settings, analyses_folder() / settings.key(), whole=False, quiet=as_json)
    found = compare_plans(folder, loaded, metric=metric, seed=seed)
    if as_json:
        print_json(found.as_dict())
    else:
        _print_comparison(found)


def _print_stability(found: Stability) -> None:
    ranges = "{:.2f} ... {:.2f}".format(*found.agreement_range)
    rows = [
        (name, "hint point" * (name in found.hint_points), f"{100 * share:.0f} %")
        for name, share in found.frequency.items()
        if share or name in found.hint_points
    ]
    subsets = f"{found.resamples} subsets of {100 * found.share:.0f} % of {found.images:,} images"
    title = f"{found.metric}, {found.method}, K = {found.clusters}: {subsets}"
    table(title, ("layer", "", "chosen in"), rows)
    out.print(f"clusters of the subsets agree with those of all images by {found.agreement:.2f} ({ranges})")
    for name, value in found.agreement_between_metrics.items():
        out.print(f"clusters by {name} agree with them by {value:.2f}", highlight=False)
    _print_coverage(found.coverage)
    out.print("agreement: adjusted Rand index, 1 = the same clusters, 0 = as by chance", style="dim")


def _print_coverage(report: CoverageReport) -> None:
    best = "best" if report.best_exact else "best found"
    out.print(
        f"coverage {_interval(report)}; {best} of {report.count} hint points {report.best:.3f} "
        f"({', '.join(report.best_layers)}), random {report.random_mean:.3f}",
        highlight=False,
    )


def _print_comparison(found: PlanComparison) -> None:
    rows = [
        (
            one.name,
            one.coverage.count,
            ", ".join(one.hint_points),
            one.method + f" + {one.overrides} by hand" * bool(one.overrides),
            _interval(one.coverage),
            f"{one.coverage.best:.3f}",
            f"{one.coverage.random_mean:.3f}",
        )
        for one in found.plans
    ]
    columns = ("plan", "K", "hint points", "method", "coverage", "best", "random")
    table(f"{found.metric} on {found.images:,} images", columns, rows)
    if len({one.coverage.count for one in found.plans}) > 1:
        out.print("coverage rises with every hint point: compare plans of equal K", style="yellow")
    for name, row in zip((one.name for one in found.plans), found.agreement, strict=True):
        out.print(f"clusters of {name} agree with the plans above by {_listed(row)}", highlight=False)


def _interval(report: CoverageReport) -> str:
    low, high = report.interval or (report.value, report.value)
    return f"{report.value:.3f} ({low:.3f} ... {high:.3f})"


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
