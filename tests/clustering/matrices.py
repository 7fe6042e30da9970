"""Similarity matrices of known structure."""

from __future__ import annotations

import numpy as np

from pursuhint.similarity import SimilarityMatrix


def matrix(values: np.ndarray) -> SimilarityMatrix:
    """Name the layers of bare values."""
    names = tuple(f"layer{number}" for number in range(len(values)))
    return SimilarityMatrix(np.asarray(values, dtype=float), names, "cka_linear", "mean", 1000, {}, {})


def random_matrix(depth: int, seed: int = 0) -> SimilarityMatrix:
    """Return layers scattered in space, in no order of depth."""
    points = np.random.default_rng(seed).normal(size=(depth, 3))
    return matrix(np.exp(-np.linalg.norm(points[:, None] - points[None], axis=-1)))


def planted_matrix(sizes: list[int], *, noise: float = 0.1, seed: int = 0) -> SimilarityMatrix:
    """Return groups of the given sizes in depth order: about 0.8 within, 0.3 between, blurred evenly."""
    rng = np.random.default_rng(seed)
    group = np.repeat(range(len(sizes)), sizes)
    rough = np.where(together(group), 0.8, 0.3) + rng.uniform(-noise, noise, (len(group),) * 2)
    values = np.triu(rough, 1) + np.triu(rough, 1).T
    np.fill_diagonal(values, 1.0)
    return matrix(values)


def together(labels: np.ndarray) -> np.ndarray:
    """Say of each pair of layers whether one cluster holds both."""
    return np.equal.outer(labels, labels)
