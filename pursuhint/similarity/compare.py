"""Similarity of every pair of layers: from features, from moments, or between two networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.distance import squareform

from pursuhint.errors import InputError
from pursuhint.similarity.basis import measure_bases
from pursuhint.similarity.distances import compare_distances, squared_distances
from pursuhint.similarity.matrix import SimilarityMatrix
from pursuhint.similarity.metric import DistancesMetric, Metric, symmetrise
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.notes import note_layer
from pursuhint.similarity.registry import METRICS, check_pooling, find_metric
from pursuhint.similarity.sweep import measure_moments


def similarity_matrix(
    representations: Mapping[str, np.ndarray], *, metric: str, pooling: str = "mean"
) -> SimilarityMatrix:
    """Compare every pair of layers.

    Args:
        representations: layer name -> (N, C) features of the same N images in one order; layers in depth
            order. Memory maps are read chunk by chunk.
        metric: key in ``METRICS``.
        pooling: how the feature maps became rows; kept with the result.

    Returns:
        The matrix; of a metric that is not symmetric, the mean of both directions. Layers in which nothing
        varies are left out, with the reason.

    Raises:
        InputError: unknown metric, one that the pooling does not allow, unusable features, fewer than two
            layers that vary, or too few images.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> early = rng.normal(size=(500, 8))
        >>> late = early @ rng.normal(size=(8, 8))
        >>> similarity = similarity_matrix({"early": early, "late": late}, metric="r2_cca")
        >>> similarity.layers, similarity.values.round(6).tolist()
        (('early', 'late'), [[1.0, 1.0], [1.0, 1.0]])
    """
    check_pooling(metric, pooling)
    measure = find_metric(metric)
    arrays = {name: _sliceable(features) for name, features in representations.items()}
    if not isinstance(measure, DistancesMetric):
        return matrix_from_moments(measure_moments(arrays), metric=metric, pooling=pooling)
    firsts = {name: features[: measure.most_samples] for name, features in arrays.items()}
    bases = measure_bases(firsts)
    samples = next((len(features) for features in firsts.values()), 0)
    varying = [name for name, basis in bases.items() if basis.rank]
    check_layers(measure, varying, [bases[name].rank for name in varying], samples, list(bases))
    layers = ((name, squareform(squared_distances(firsts[name], bases[name]))) for name in varying)
    widths_and_ranks = {name: (basis.width, basis.rank) for name, basis in bases.items()}
    return _matrix(compare_distances(measure, layers), widths_and_ranks, measure, pooling, samples)


def matrix_from_moments(moments: Moments, *, metric: str, pooling: str = "mean") -> SimilarityMatrix:
    """Compare every pair of layers whose moments were measured before.

    Args:
        moments: of L layers.
        metric: key in ``METRICS``, of the family ``"moments"``.
        pooling: how the feature maps became rows; kept with the result.

    Returns:
        As `similarity_matrix` of the same images.

    Raises:
        InputError: unknown metric, one that needs the features, one that the pooling does not allow, fewer
            than two layers that vary, or too few images.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> moments = measure_moments({"a": rng.normal(size=(500, 8)), "b": rng.normal(size=(500, 4))})
        >>> matrix_from_moments(moments, metric="cka_linear").values.round(2).tolist()
        [[1.0, 0.01], [0.01, 1.0]]
    """
    check_pooling(metric, pooling)
    measure = find_metric(metric)
    if isinstance(measure, DistancesMetric):
        possible = ", ".join(name for name, one in METRICS.items() if one.family == "moments")
        raise InputError(
            f"`{metric}` is computed from distances among images, which moments do not hold: compare the "
            f"features themselves, or choose one of {possible}"
        )
    ranks = dict(zip(moments.layers, moments.ranks, strict=True))
    check_layers(measure, moments.layers, moments.ranks, moments.samples, list(moments.widths))
    widths_and_ranks = {name: (width, ranks.get(name, 0)) for name, width in moments.widths.items()}
    return _matrix(measure.compute(moments), widths_and_ranks, measure, pooling, moments.samples)


def cross_similarity(
    first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], *, metric: str
) -> np.ndarray:
    """Compare every layer of one network with every layer of another on the same images.

    Args:
        first: layer name -> (N, C) features, such as the teacher's.
        second: the same of the other network, such as the student's, of the same images in the same order.
        metric: key in ``METRICS``; one that is not symmetric gives the mean of both directions.

    Returns:
        (L1, L2) float64, rows and columns in the order of the two mappings.

    Raises:
        InputError: as `similarity_matrix`, or nothing varies in one of the layers.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(500, 8))
        >>> cross_similarity({"teacher": features}, {"half": features[:, :4]}, metric="r2_cca").round(6)
        array([[1.]])
    """
    named = {f"{name} (first)": features for name, features in first.items()}
    named |= {f"{name} (second)": features for name, features in second.items()}
    similarity = similarity_matrix(named, metric=metric)
    if similarity.excluded:
        constant = ", ".join(f"`{name}`" for name in similarity.excluded)
        raise InputError(
            f"every layer must vary over the {similarity.samples:,} images: {constant} do not; leave them out"
        )
    return similarity.values[: len(first), len(first) :]


def check_layers(
    measure: Metric, varying: Sequence[str], ranks: Sequence[int], samples: int, layers: Sequence[str]
) -> None:
    """Refuse what would give a matrix of less than two layers or of meaningless values.

    Args:
        measure: the metric.
        varying: names of the layers that vary.
        ranks: their effective ranks.
        samples: number of images.
        layers: names of all layers.

    Raises:
        InputError: fewer than two layers that vary, or too few images.
    """
    if len(varying) < 2:
        constant = ", ".join(f"`{name}`" for name in layers if name not in varying) or "none"
        raise InputError(
            f"at least 2 layers whose features vary are needed: found {len(varying)} (constant: {constant}); "
            "choose more layers, or check weights and preprocessing"
        )
    least = measure.min_samples(ranks)
    if samples < least:
        widest = sorted(zip(ranks, varying, strict=True), key=lambda pair: -pair[0])[:2]
        named = " and ".join(f"`{name}` (rank {rank})" for rank, name in widest)
        advice = max(least, int(np.ceil(measure.images_per_feature * widest[0][0])))
        raise InputError(
            f"`{measure.name}` needs at least {least:,} images to compare {named}: found {samples:,}; "
            f"take {advice:,} or more, or another metric of {', '.join(METRICS)}"
        )


def settle(measure: Metric, values: np.ndarray) -> np.ndarray:
    """Return symmetric similarities within the metric's bounds, with ones on the diagonal."""
    values = np.clip(values if measure.symmetric else symmetrise(values), *measure.bounds)
    np.fill_diagonal(values, 1.0)
    return values


def _matrix(
    values: np.ndarray,
    widths_and_ranks: Mapping[str, tuple[int, int]],
    measure: Metric,
    pooling: str,
    samples: int,
) -> SimilarityMatrix:
    notes = {
        name: note_layer(width, rank, samples, measure) for name, (width, rank) in widths_and_ranks.items()
    }
    layers = tuple(name for name, note in notes.items() if note.status != "constant")
    excluded = {name: note.text for name, note in notes.items() if note.status == "constant"}
    return SimilarityMatrix(settle(measure, values), layers, measure.name, pooling, samples, notes, excluded)


def _sliceable(features: np.ndarray) -> np.ndarray:
    return features if hasattr(features, "shape") and hasattr(features, "dtype") else np.asarray(features)
