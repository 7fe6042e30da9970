"""The measurement: cluster all images and many subsets of them, and compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pursuhint.clustering import METHODS, PRESETS, Clustering, cluster_layers, preset_clustering, silhouette
from pursuhint.clustering.presets import check_names
from pursuhint.coverage import CoverageReport, coverage, coverage_report
from pursuhint.errors import InputError, unknown
from pursuhint.progress import Progress, silent
from pursuhint.similarity import METRICS, SimilarityMatrix
from pursuhint.similarity.threads import in_threads
from pursuhint.stability.agreement import adjusted_rand
from pursuhint.stability.jackknife import jackknife, leave_one_out
from pursuhint.stability.report import Stability
from pursuhint.stability.resamples import draw_subsets

if TYPE_CHECKING:
    from pursuhint.similarity.blocks import Blocks


def measure_stability(
    blocks: Blocks,
    *,
    metric: str,
    method: str = "pursuhint",
    clusters: int = 3,
    resamples: int = 100,
    seed: int = 0,
    hint_points: Sequence[str] | None = None,
    metrics: Sequence[str] = (),
    left_out: np.ndarray | None = None,
    progress: Progress = silent,
) -> Stability:
    """Measure how far hint points depend on which probe images were drawn.

    Args:
        blocks: similarities of parts of the images.
        metric: key in ``METRICS``.
        method: key in ``METHODS``, or in ``PRESETS`` where `hint_points` are given.
        clusters: K; a preset has as many as hint points.
        resamples: number of subsets of 80 % of the images, 2 or more.
        seed: of the subsets, of methods that draw, and of random plans.
        hint_points: those in force, where a person changed them; their coverage is reported. None: the
            centres of the clustering.
        metrics: other metrics with whose clusterings to compare.
        left_out: what `leave_one_out` returns for these blocks, where it is there already.
        progress: told of each block left out (``intervals``) and each subset (``resamples``).

    Returns:
        The stability. A preset chooses without looking: the frequency of its hint points is 1, and only
        which layers gather around them can change.

    Raises:
        InputError: an unknown name, a preset without hint points, too few resamples or blocks, or K outside
            1..L.
    """
    for name in (metric, *metrics):
        if name not in METRICS:
            raise unknown("metric", name, METRICS)
    if hint_points is not None:
        check_names(hint_points, blocks.layers, {})
    group = _grouping(method, clusters, seed, hint_points)
    subsets = draw_subsets(blocks.count, resamples, seed=seed)

    full = blocks.values(metric)
    whole = group(_matrix(blocks, metric, full))
    others = {name: group(_matrix(blocks, name, blocks.values(name))) for name in metrics if name != metric}
    found = []
    parts = in_threads(lambda subset: blocks.values(metric, subset), subsets.tolist())
    for done, values in enumerate(parts, start=1):
        found.append(group(_matrix(blocks, metric, values)))
        progress("resamples", done, len(subsets))
    agreements = [_agreement(whole, one) for one in found]
    if left_out is None:
        left_out = leave_one_out(blocks, metric, progress=progress)
    points = tuple(sorted(hint_points or whole.centres, key=blocks.layers.index))
    return Stability(
        metric=metric,
        method=method,
        clusters=len(whole.clusters),
        layers=blocks.layers,
        centres=whole.centres,
        hint_points=points,
        images=blocks.samples,
        resamples=len(subsets),
        share=subsets.shape[1] / blocks.count,
        frequency=_frequency(found),
        agreement=float(np.mean(agreements)),
        agreement_range=tuple(np.quantile(agreements, [0.05, 0.95]).tolist()),
        agreement_between_metrics={name: _agreement(whole, other) for name, other in others.items()},
        silhouette=whole.silhouette,
        silhouette_interval=_silhouette_interval(whole, [_matrix(blocks, metric, one) for one in left_out]),
        coverage=measure_coverage(
            full, left_out, blocks.layers, points, bounds=METRICS[metric].bounds, seed=seed
        ),
        half_widths=jackknife(full, left_out).half_width,
    )


def _grouping(
    method: str, clusters: int, seed: int, hint_points: Sequence[str] | None
) -> Callable[[SimilarityMatrix], Clustering]:
    """Return what makes clusters of a matrix: a method, or a preset's given hint points."""
    if method in METHODS:
        return lambda similarity: cluster_layers(similarity, clusters, method=method, seed=seed)
    if method not in PRESETS:
        raise unknown("method", method, METHODS | PRESETS)
    if not hint_points:
        raise InputError(
            f"the preset `{method}` is measured around the hint points that it chose: found none; give "
            "`hint_points`"
        )
    return lambda similarity: preset_clustering(similarity, hint_points, method=method)


def _matrix(blocks: Blocks, metric: str, values: np.ndarray) -> SimilarityMatrix:
    return SimilarityMatrix(values, blocks.layers, metric, "", blocks.samples, {}, {})


def _agreement(first: Clustering, second: Clustering) -> float:
    return adjusted_rand(first.labels(), second.labels())


def _frequency(found: Sequence[Clustering]) -> dict[str, float]:
    """Return for each layer the share of the clusterings in which it is a centre."""
    counts = Counter(name for clustering in found for name in clustering.centres)
    return {name: counts[name] / len(found) for name in found[0].layers}


def _silhouette_interval(
    whole: Clustering, left_out: Sequence[SimilarityMatrix]
) -> tuple[float, float] | None:
    """Return the 95 % interval of the silhouette that these clusters would have on other images."""
    if whole.silhouette is None:
        return None
    labels = np.array(whole.labels())
    scores = [silhouette(similarity.distance(), labels) for similarity in left_out]
    return jackknife(whole.silhouette, scores, bounds=(-1.0, 1.0)).interval


def measure_coverage(
    full: np.ndarray,
    left_out: np.ndarray,
    layers: Sequence[str],
    points: Sequence[str],
    *,
    bounds: tuple[float, float],
    seed: int = 0,
) -> CoverageReport:
    """Return the coverage of hint points with its interval over other images.

    Args:
        full: (L, L) similarities on all images.
        left_out: (B, L, L) similarities without each block of images in turn, see `leave_one_out`.
        layers: L names in depth order.
        points: names of the hint points.
        bounds: of the metric.
        seed: of random plans and of the search for the best one.

    Raises:
        InputError: no hint point, or one that is no layer of the matrix.
    """
    report = coverage_report(full, layers, points, seed=seed)
    hints = [list(layers).index(name) for name in points]
    measured = jackknife(report.value, [coverage(one, hints) for one in left_out], bounds=bounds)
    return replace(report, interval=measured.interval)
