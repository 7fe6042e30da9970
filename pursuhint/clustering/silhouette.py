"""The silhouette: how much nearer layers are to their own cluster than to the next one."""

from __future__ import annotations

import numpy as np


def silhouette(distance: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the mean silhouette of a clustering.

    ``s = (b - a) / max(a, b)`` of a layer: a, the mean distance to the others of its cluster; b, to the
    layers of the nearest other cluster. A layer alone in its cluster, or at distance 0 from both, has s = 0.

    Written out because importing scikit-learn's takes two seconds, which every command would wait for.

    Args:
        distance: (L, L), diagonal 0.
        labels: (L,) cluster of each layer.

    Returns:
        In [-1, 1]; None where it is not defined: one cluster, or nothing but singletons.

    Source:
        Rousseeuw, "Silhouettes: a graphical aid", 1987.

    Example:
        >>> distance = np.array([[0.0, 0.25, 1.0], [0.25, 0.0, 1.0], [1.0, 1.0, 0.0]])
        >>> silhouette(distance, np.array([0, 0, 1]))
        0.5
    """
    members = np.equal.outer(labels, np.unique(labels))  # (layer, cluster)
    sizes = members.sum(axis=0)
    if not 1 < len(sizes) < len(labels):
        return None
    totals = distance @ members
    others = (members * sizes).sum(axis=1) - 1
    own = totals[members] / np.maximum(others, 1)
    nearest = np.where(members, np.inf, totals / sizes).min(axis=1)
    wider = np.maximum(own, nearest)
    score = np.divide(nearest - own, wider, out=np.zeros_like(own), where=(others > 0) & (wider > 0))
    return float(score.mean())
