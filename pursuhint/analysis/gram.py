"""Flattened activations: too large to keep, so every batch of images leaves only its HSIC of all pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from pursuhint.analysis.collect import passes
from pursuhint.analysis.pooling import pooling_named
from pursuhint.data import Split
from pursuhint.device import bfloat16_pays
from pursuhint.errors import PursuhintError
from pursuhint.layers import Layer
from pursuhint.preprocess import Preprocess
from pursuhint.progress import Progress, silent
from pursuhint.similarity.minibatch_hsic import BATCH, batch_hsic, partition

TOLERANCE = 1e-3
"""Largest change of a similarity that bfloat16 may make."""


def collect_hsic(
    model: nn.Module,
    split: Split,
    layers: Sequence[Layer],
    preprocess: Preprocess,
    *,
    progress: Progress = silent,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run the network once over the images and keep the unbiased HSIC of all pairs of layers, batch by batch.

    The Gram matrix of a layer is made inside its hook, in float32, so no feature map outlives its layer.

    Args:
        model: the teacher; run in eval mode, without gradients, in a faster form that is compared first.
        split: the probe images, in the order that sets the partition into batches.
        layers: L layers.
        preprocess: the teacher's preprocessing.
        progress: is told after every batch.

    Returns:
        HSIC (B, L, L) float64 and images (B,) of every batch, see
        `pursuhint.similarity.minibatch_hsic.partition`, and the logits, float32 (n, classes).

    Raises:
        InputError: too few images.
        PursuhintError: a layer's output is not finite.
    """
    names = [layer.name for layer in layers]
    batches = partition(len(split))
    device = next(model.parameters()).device
    bfloat16 = bfloat16_pays(device) and bfloat16_suffices(model, split, names, preprocess)
    hsic, logits = [], []
    for start, grams, answers in passes(
        model, split, names, preprocess, _gram, batch_size=BATCH, bfloat16=bfloat16
    ):
        logits.append(answers)
        stacked = np.stack([grams[name].cpu().numpy() for name in names])
        _check_finite(names, stacked, start)
        if len(hsic) < len(batches):
            hsic.append(batch_hsic(stacked))
        progress(f"reading {len(names)} layers", min(start + BATCH, len(split)), len(split))
    return np.stack(hsic), np.array(batches), np.concatenate(logits)


def bfloat16_suffices(model: nn.Module, split: Split, names: Sequence[str], preprocess: Preprocess) -> bool:
    """Say whether mixed precision moves no similarity of the first minibatch by more than `TOLERANCE`."""
    first = split.take(slice(0, BATCH))
    found = []
    for bfloat16 in (False, True):
        ((_, grams, _),) = passes(model, first, names, preprocess, _gram, batch_size=BATCH, bfloat16=bfloat16)
        stacked = np.stack([grams[name].cpu().numpy() for name in names])
        _check_finite(names, stacked, 0)
        hsic = batch_hsic(stacked)
        spread = np.sqrt(np.abs(np.diag(hsic)))
        found.append(hsic / np.maximum(np.outer(spread, spread), np.finfo(float).tiny))
    return bool(np.abs(found[0] - found[1]).max() <= TOLERANCE)


def _gram(output: Tensor, layer: str) -> Tensor:
    """Return the Gram matrix (n, n) of one layer's flattened output, in float32 also under autocast.

    It is symmetric, so one of its four quarters is copied instead of computed.
    """
    rows = pooling_named("flatten").rows(output, layer=layer)
    half = len(rows) // 2
    gram = rows.new_empty(len(rows), len(rows))
    with torch.autocast(rows.device.type, enabled=False):
        torch.mm(rows[:half], rows[:half].T, out=gram[:half, :half])
        torch.mm(rows[half:], rows.T, out=gram[half:])
    gram[:half, half:] = gram[half:, :half].T
    return gram


def _check_finite(names: Sequence[str], grams: np.ndarray, start: int) -> None:
    finite = np.isfinite(grams).all(axis=(1, 2))
    if not finite.all():
        raise PursuhintError(
            f"layer `{names[int(finite.argmin())]}` puts out NaN or infinite values, first in the images "
            f"{start:,} to {start + grams.shape[1] - 1:,}; check the weights and the preprocessing"
        )
