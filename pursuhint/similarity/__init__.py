"""Similarity of every pair of layers, from their representations of the same images (numpy only)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from pursuhint.errors import InputError, unknown
from pursuhint.similarity.cka_linear import CKA_LINEAR
from pursuhint.similarity.cka_rbf import CKA_RBF
from pursuhint.similarity.layer import LayerNote, centre_layer, check_features, note_layer
from pursuhint.similarity.matrix import SimilarityMatrix
from pursuhint.similarity.metric import Metric
from pursuhint.similarity.r2_cca import R2_CCA

__all__ = ["METRICS", "LayerNote", "Metric", "SimilarityMatrix", "similarity_matrix"]

METRICS: dict[str, Metric] = {metric.name: metric for metric in (R2_CCA, CKA_LINEAR, CKA_RBF)}


def similarity_matrix(
    representations: Mapping[str, np.ndarray], *, metric: str, pooling: str = "mean"
) -> SimilarityMatrix:
    """Compare every pair of layers.

    Args:
        representations: layer name -> (N, C) features of the same N images in one order; layers in depth
            order.
        metric: key in ``METRICS``.
        pooling: how the feature maps became rows; kept with the result.

    Returns:
        The matrix. Layers in which nothing varies are left out, with the reason.

    Raises:
        InputError: unknown metric, unusable features, fewer than two layers that vary, or too few images.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> early = rng.normal(size=(500, 8))
        >>> late = early @ rng.normal(size=(8, 8))
        >>> similarity = similarity_matrix({"early": early, "late": late}, metric="r2_cca")
        >>> similarity.layers, similarity.values.round(6).tolist()
        (('early', 'late'), [[1.0, 1.0], [1.0, 1.0]])
    """
    if metric not in METRICS:
        raise unknown("metric", metric, METRICS)
    measure = METRICS[metric]
    arrays = {name: np.asarray(features) for name, features in representations.items()}
    samples = len(next(iter(arrays.values()), ()))

    prepared: dict[str, np.ndarray] = {}
    notes: dict[str, LayerNote] = {}
    # A thin QR is many small steps: threads that wait for each other slow it tenfold beside a training run.
    with threadpool_limits(1, user_api="blas"):
        for name, features in arrays.items():
            check_features(name, features, samples)
            layer = centre_layer(features[: measure.most_samples])
            notes[name] = note_layer(layer, images_per_feature=measure.images_per_feature)
            if notes[name].status != "constant":
                prepared[name] = measure.prepare(layer)
    used = min(samples, measure.most_samples or samples)
    _check_layers_and_samples(measure, {name: notes[name].effective_rank for name in prepared}, notes, used)

    values = np.clip(measure.compute(list(prepared.values())), *measure.bounds)
    np.fill_diagonal(values, 1.0)
    excluded = {name: note.text for name, note in notes.items() if name not in prepared}
    return SimilarityMatrix(values, tuple(prepared), metric, pooling, used, notes, excluded)


def _check_layers_and_samples(
    measure: Metric, ranks: Mapping[str, int], notes: Mapping[str, LayerNote], samples: int
) -> None:
    """Refuse what would give a matrix of less than two layers or of meaningless values."""
    if len(ranks) < 2:
        constant = ", ".join(f"`{name}`" for name in notes if name not in ranks) or "none"
        raise InputError(
            f"at least 2 layers whose features vary are needed: found {len(ranks)} (constant: {constant}); "
            "choose more layers, or check weights and preprocessing"
        )
    least = measure.min_samples(list(ranks.values()))
    if samples < least:
        widest = sorted(ranks, key=ranks.get, reverse=True)[:2]
        named = " and ".join(f"`{name}` (rank {ranks[name]})" for name in widest)
        advice = int(np.ceil(measure.images_per_feature * max(notes[name].width for name in widest)))
        raise InputError(
            f"`{measure.name}` needs at least {least:,} images to compare {named}: found {samples:,}; "
            f"take {max(least, advice):,} or more, or another metric of {', '.join(METRICS)}"
        )
