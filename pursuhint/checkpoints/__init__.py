"""Weights from files: read without running code, fitted to a model without dropping anything, identified."""

from pursuhint.checkpoints.fitting import LoadReport, fit_weights
from pursuhint.checkpoints.identity import hash_weights, infer_classes, infer_variant
from pursuhint.checkpoints.reading import Weights, read_weights

__all__ = [
    "LoadReport",
    "Weights",
    "fit_weights",
    "hash_weights",
    "infer_classes",
    "infer_variant",
    "read_weights",
]
