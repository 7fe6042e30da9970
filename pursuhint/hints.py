"""From an analysis to hint points: the step that gives the method its name, as one function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import (
    METHODS,
    PRESETS,
    Clustering,
    cluster_layers,
    preset_clustering,
    silhouette_curve,
    suggested_clusters,
)
from pursuhint.errors import InputError, unknown
from pursuhint.layers import Layer
from pursuhint.plan import HintPlan
from pursuhint.similarity import SimilarityMatrix

DEFAULT_METRIC, DEFAULT_METHOD, DEFAULT_CLUSTERS = "r2_cca", "pursuhint", 3


def choose_hints(
    analysis: AnalysisFolder,
    *,
    metric: str = DEFAULT_METRIC,
    clusters: int | Literal["auto"] = DEFAULT_CLUSTERS,
    method: str = DEFAULT_METHOD,
    seed: int = 0,
    samples: int | None = None,
    hint_points: Sequence[str] = (),
) -> HintPlan:
    """Cluster a teacher's layers and take the cluster centres as hint points, or follow a preset.

    Args:
        analysis: of the teacher.
        metric: a name of `pursuhint.similarity.METRICS`.
        clusters: K, the number of hint points; the paper takes 3 on CIFAR and 4 on ImageNet. ``"auto"``: the
            K of largest silhouette; for `uniform` and `random` that of the default method, so that they
            compare with it at equal K. It follows from the layers for `stage_ends` and `manual`.
        method: a name of `pursuhint.clustering.METHODS` or ``PRESETS``.
        seed: of methods and presets that draw random numbers.
        samples: use the first probe images only; all when None.
        hint_points: the layers to take, with ``method="manual"``.

    Returns:
        The automatic plan, without overrides. A preset's clusters gather the layers around its hint points,
        each layer at the one it is most similar to.

    Raises:
        InputError: an unknown name, hint points that do not go with the method, or K does not fit the number
            of layers.

    Source:
        Keser et al. (2023), Expert Systems with Applications 213, 119040.
    """
    if method not in METHODS | PRESETS:
        raise unknown("method", method, METHODS | PRESETS)
    if bool(hint_points) != (method == "manual"):
        found = ", ".join(f"`{name}`" for name in hint_points) or "none"
        raise InputError(
            f"hint points go with the method `manual`, which needs at least one: found {found} with "
            f"`{method}`; name layers and choose `manual`, or neither"
        )
    if isinstance(clusters, str) and clusters != "auto":
        raise InputError(f"`clusters` must be a number or `auto`: found `{clusters}`; give one of them")

    similarity = analysis.similarity(metric, samples=samples)
    card = analysis.card
    return HintPlan.from_clustering(
        similarity,
        _grouped(similarity, analysis.layers, clusters, method, seed, hint_points),
        teacher=card.teacher,
        data=card.data,
        data_id=card.data_id,
        sample_ids=analysis.probe["ids"][:samples],
    )


def _grouped(
    similarity: SimilarityMatrix,
    layers: Sequence[Layer],
    clusters: int | Literal["auto"],
    method: str,
    seed: int,
    hint_points: Sequence[str],
) -> Clustering:
    """Cluster by a method, or around the hint points of a preset."""
    preset = PRESETS.get(method)
    if clusters == "auto" and (preset is None or preset.takes_clusters):
        measured = DEFAULT_METHOD if preset else method
        clusters = suggested_clusters(silhouette_curve(similarity, method=measured, seed=seed))
    if preset is None:
        return cluster_layers(similarity, clusters, method=method, seed=seed)
    compared = [layer for layer in layers if layer.name in similarity.layers]
    return preset_clustering(similarity, preset.choose(compared, clusters, seed, hint_points), method=method)
