"""Similarity of flattened activations, from the HSIC that every minibatch left."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pursuhint.similarity.compare import check_layers
from pursuhint.similarity.matrix import SimilarityMatrix
from pursuhint.similarity.minibatch_hsic import HsicBlocks
from pursuhint.similarity.notes import LayerNote
from pursuhint.similarity.registry import METRICS

METRIC = "cka_linear_debiased"


def matrix_from_hsic(hsic: np.ndarray, sizes: np.ndarray, widths: Mapping[str, int]) -> SimilarityMatrix:
    """Compare every pair of layers by the debiased CKA of their flattened activations.

    Args:
        hsic: (B, L, L) of all minibatches.
        sizes: (B,) images of each.
        widths: layer name -> number of activations for one image; layers in depth order.

    Returns:
        The matrix. Layers in which nothing varies are left out, with the reason.

    Raises:
        InputError: fewer than two layers that vary.

    Example:
        >>> matrix = matrix_from_hsic(np.ones((1, 2, 2)), np.array([256]), {"a": 512, "b": 256})
        >>> matrix.values.tolist()
        [[1.0, 1.0], [1.0, 1.0]]
        >>> matrix.notes["a"].text
        '512 activations an image, 0.5 images for each; debiased, so that is enough'
    """
    blocks = HsicBlocks(hsic, sizes, list(widths))
    notes = {
        name: _note(width, blocks.samples, constant=name in blocks.constant) for name, width in widths.items()
    }
    check_layers(METRICS[METRIC], blocks.layers, [], blocks.samples, list(widths))
    excluded = {name: notes[name].text for name in blocks.constant}
    return SimilarityMatrix(
        blocks.values(METRIC), blocks.layers, METRIC, "flatten", blocks.samples, notes, excluded
    )


def _note(width: int, samples: int, *, constant: bool) -> LayerNote:
    ratio = samples / width
    if constant:
        text = f"no activation varies over {samples:,} images; left out of the matrix and of the clusters"
        return LayerNote(width, 0, ratio, "constant", text)
    text = f"{width:,} activations an image, {ratio:.2g} images for each; debiased, so that is enough"
    return LayerNote(width, None, ratio, "ok", text)
