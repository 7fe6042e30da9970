"""One pass over the probe images: the pooled output of every candidate layer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pursuhint.data import Split
from pursuhint.data.images import choose_images
from pursuhint.errors import PursuhintError, StorageError
from pursuhint.layers import Layer
from pursuhint.preprocess import Preprocess
from pursuhint.progress import Progress, silent
from pursuhint.recorder import ActivationRecorder, require_called


def pool_mean(output: Tensor) -> Tensor:
    """Average a layer's output over positions.

    Args:
        output: maps (n, channels, height, width), tokens (n, tokens, width) or rows (n, width).

    Returns:
        float32, shape (n, channels).

    Example:
        >>> pool_mean(torch.ones(2, 3, 4, 4)).shape
        torch.Size([2, 3])
    """
    if output.ndim == 2:
        return output.float()
    positions = tuple(range(2, output.ndim)) if output.ndim == 4 else (1,)
    return output.float().mean(dim=positions)


def feature_file(folder: Path, index: int) -> Path:
    """Return where the features of the layer at this depth are kept."""
    return folder / f"{index:03d}.npy"


def collect_representations(
    model: nn.Module,
    split: Split,
    layers: Sequence[Layer],
    preprocess: Preprocess,
    *,
    folder: Path | None = None,
    batch_size: int = 128,
    progress: Progress = silent,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Run the network once over the images and keep the pooled output of every layer.

    Only pooled rows are kept, one batch at a time, so memory does not grow with the images when `folder` is
    given.

    Args:
        model: the teacher; run in eval mode, without gradients.
        split: the probe images.
        layers: the layers to record.
        preprocess: the teacher's preprocessing.
        folder: where one .npy a layer is written; None keeps the arrays in memory.
        batch_size: images a forward pass.
        progress: is told after every batch.

    Returns:
        Layer name -> float32 (n, channels) in depth order, and the logits, float32 (n, classes).

    Raises:
        PursuhintError: a layer's output is not finite, or the disk is full.
    """
    n = len(split)
    names = [layer.name for layer in layers]
    model.eval()
    device = next(model.parameters()).device
    kept: dict[str, np.ndarray] = {}
    logits: list[np.ndarray] = []
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        recorder = stack.enter_context(ActivationRecorder(model, names, transform=pool_mean))
        for start in range(0, n, batch_size):
            images = preprocess.apply(split.images(slice(start, start + batch_size)), device)
            logits.append(model(images).float().cpu().numpy())
            if not kept:
                require_called(recorder)
                kept = {name: _allocate(folder, i, n, recorder.outputs[name]) for i, name in enumerate(names)}
            for name in names:
                rows = recorder.outputs[name].cpu().numpy()
                if not np.isfinite(rows).all():
                    raise PursuhintError(
                        f"layer `{name}` puts out values that are not finite; check the weights"
                    )
                kept[name][start : start + len(rows)] = rows
            progress("reading the layers", min(start + batch_size, n), n)
    for array in kept.values():
        if isinstance(array, np.memmap):
            array.flush()
    return kept, np.concatenate(logits)


def _allocate(folder: Path | None, index: int, n: int, example: Tensor) -> np.ndarray:
    shape = (n, example.shape[1])
    if folder is None:
        return np.empty(shape, dtype=np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    path = feature_file(folder, index)
    try:
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        with open(path, "rb+") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        raise StorageError(f"cannot write `{path}`: {error.strerror}; free some space") from error
    return array


def probe_images(split: Split, samples: int | None, *, most: int) -> Split:
    """Choose the probe images: stratified, fixed, without augmentation.

    Args:
        split: the training part.
        samples: how many; None takes `most` or all there are.
        most: the default's upper limit.

    Raises:
        InputError: more images are asked for than there are.
    """
    return choose_images(split, min(most, len(split)) if samples is None else samples)
