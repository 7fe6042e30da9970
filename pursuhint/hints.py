"""From an analysis to hint points: the step that gives the method its name, as one function."""

from __future__ import annotations

from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import cluster_layers
from pursuhint.plan import HintPlan

DEFAULT_METRIC, DEFAULT_METHOD, DEFAULT_CLUSTERS = "r2_cca", "pursuhint", 3


def choose_hints(
    analysis: AnalysisFolder,
    *,
    metric: str = DEFAULT_METRIC,
    clusters: int = DEFAULT_CLUSTERS,
    method: str = DEFAULT_METHOD,
    seed: int = 0,
    samples: int | None = None,
) -> HintPlan:
    """Cluster a teacher's layers and take the cluster centres as hint points.

    Args:
        analysis: of the teacher.
        metric: a name of `pursuhint.similarity.METRICS`.
        clusters: K, the number of hint points; the paper takes 3 on CIFAR and 4 on ImageNet.
        method: a name of `pursuhint.clustering.METHODS`.
        seed: of methods that draw random numbers.
        samples: use the first probe images only; all when None.

    Returns:
        The automatic plan, without overrides.

    Raises:
        InputError: an unknown name, or K does not fit the number of layers.

    Source:
        Keser et al. (2023), Expert Systems with Applications 213, 119040.
    """
    similarity = analysis.similarity(metric, samples=samples)
    clustering = cluster_layers(similarity, clusters, method=method, seed=seed)
    card = analysis.card
    return HintPlan.from_clustering(
        similarity,
        clustering,
        teacher=card.teacher,
        data=card.data,
        data_id=card.data_id,
        sample_ids=analysis.probe["ids"][:samples],
    )
