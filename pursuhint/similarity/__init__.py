"""Similarity of every pair of layers, from their representations of the same images (numpy only)."""

from pursuhint.similarity.blocks import Blocks, FeatureBlocks
from pursuhint.similarity.compare import cross_similarity, matrix_from_moments, similarity_matrix
from pursuhint.similarity.flattened import matrix_from_hsic
from pursuhint.similarity.matrix import SimilarityMatrix
from pursuhint.similarity.metric import DistancesMetric, Metric, MomentsMetric, symmetrise
from pursuhint.similarity.minibatch_hsic import HsicBlocks, batch_hsic, cka_from_hsic, partition
from pursuhint.similarity.moments import Moments
from pursuhint.similarity.notes import LayerNote, PairNote
from pursuhint.similarity.registry import METRICS, check_pooling, find_metric, metrics_of
from pursuhint.similarity.side_by_side import PairDifference, SideBySide, rank_correlation, side_by_side
from pursuhint.similarity.sweep import measure_moments

__all__ = [
    "METRICS",
    "Blocks",
    "DistancesMetric",
    "FeatureBlocks",
    "HsicBlocks",
    "LayerNote",
    "Metric",
    "Moments",
    "MomentsMetric",
    "PairDifference",
    "PairNote",
    "SideBySide",
    "SimilarityMatrix",
    "batch_hsic",
    "check_pooling",
    "cka_from_hsic",
    "cross_similarity",
    "find_metric",
    "matrix_from_hsic",
    "matrix_from_moments",
    "measure_moments",
    "metrics_of",
    "partition",
    "rank_correlation",
    "side_by_side",
    "similarity_matrix",
    "symmetrise",
]
