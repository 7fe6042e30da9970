"""One pass over the probe images: the pooled output of every candidate layer, streamed to disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pursuhint.analysis.pooling import pooling_named
from pursuhint.analysis.rows import RowsInMemory, RowsOnDisk
from pursuhint.data import Split
from pursuhint.data.images import choose_images
from pursuhint.errors import InputError, PursuhintError
from pursuhint.files import in_bytes
from pursuhint.folding import fast_copy
from pursuhint.layers import Layer
from pursuhint.layout import class_tokens
from pursuhint.preprocess import Preprocess
from pursuhint.progress import Progress, silent
from pursuhint.recorder import ActivationRecorder, require_called

N_COMPARED = 16
"""Images on which the faster copy of the network is compared with the network."""


def collect_representations(
    model: nn.Module,
    split: Split,
    layers: Sequence[Layer],
    preprocess: Preprocess,
    *,
    pooling: str = "mean",
    folder: Path | None = None,
    most_bytes: int | None = None,
    batch_size: int = 128,
    progress: Progress = silent,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Run the network once over the images and keep the pooled output of every layer.

    Only pooled rows are kept, one batch at a time, so memory does not grow with the images when `folder` is
    given. Another batch size changes only the rounding of float32 (5e-8 of R2-CCA on the built-in teacher).

    Args:
        model: the teacher; run in eval mode, without gradients, in a faster form that is compared first.
        split: the probe images.
        layers: the layers to record.
        preprocess: the teacher's preprocessing.
        pooling: key in `pursuhint.analysis.pooling.POOLINGS`.
        folder: where one .npy a layer is written; None keeps the arrays in memory.
        most_bytes: refuse, before the start, to write more than this.
        batch_size: images a forward pass.
        progress: is told after every batch.

    Returns:
        Layer name -> float32 (n, features) in depth order, and the logits, float32 (n, classes).

    Raises:
        InputError: the pooling does not fit a layer, or the features would take more than `most_bytes`.
        PursuhintError: a layer's output is not finite or changes its shape, or the disk is full.
    """
    widths = feature_widths(model, layers, pooling)
    size = 4 * len(split) * sum(widths.values())
    if folder is not None and most_bytes is not None and size > most_bytes:
        raise InputError(
            f"the features of {len(layers)} layers for {len(split):,} images would take {in_bytes(size)} on "
            f"disk, more than the {in_bytes(most_bytes)} allowed; take fewer images or layers, or the "
            "pooling `mean`"
        )
    stage = f"reading {len(layers)} layers" + (f", {in_bytes(size)} on disk" if folder else "")
    keep = RowsInMemory() if folder is None else RowsOnDisk(folder, widths, len(split))
    progress(stage, 0, len(split))
    logits: list[np.ndarray] = []
    with keep:
        for start, outputs, answers in passes(
            model, split, list(widths), preprocess, _pool(model, pooling), batch_size=batch_size
        ):
            logits.append(answers)
            for name, width in widths.items():
                rows = outputs[name].cpu().numpy()
                check_rows(name, rows, width, start)
                keep.append(name, rows)
            progress(stage, min(start + batch_size, len(split)), len(split))
    return keep.arrays(), np.concatenate(logits)


def feature_widths(model: nn.Module, layers: Sequence[Layer], pooling: str) -> dict[str, int]:
    """Return how many features each layer gives, from its shape alone.

    Raises:
        InputError: the pooling is unknown or does not fit a layer.
    """
    pool = _pool(model, pooling)
    return {layer.name: pool(torch.zeros(1, *layer.shape), layer.name).shape[1] for layer in layers}


def _pool(model: nn.Module, pooling: str) -> Callable[[Tensor, str], Tensor]:
    reduce, prefix = pooling_named(pooling), class_tokens(model)
    return lambda output, layer: reduce.rows(output, layer=layer, prefix=prefix)


def passes(
    model: nn.Module,
    split: Split,
    names: Sequence[str],
    preprocess: Preprocess,
    reduce: Callable[[Tensor, str], Tensor],
    *,
    batch_size: int,
    bfloat16: bool = False,
) -> Iterator[tuple[int, dict[str, Tensor], np.ndarray]]:
    """Run the network over the images, batch by batch.

    Args:
        model: run in eval mode, without gradients, in a faster form that is compared first.
        split: the images.
        names: the layers to record.
        preprocess: the network's preprocessing.
        reduce: (output, layer name) -> what is kept of it.
        batch_size: images a batch.
        bfloat16: run the network in mixed precision; what is kept must choose its own.

    Yields:
        The position of the batch's first image, layer name -> what was kept, and the logits as float32.
    """
    model.eval()
    device = next(model.parameters()).device
    for start in range(0, len(split), batch_size):
        images = preprocess.apply(split.images(slice(start, start + batch_size)), device)
        if start == 0:
            model = _fastest(model, images, names)
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            stack.enter_context(torch.autocast(device.type, torch.bfloat16, enabled=bfloat16))
            recorder = stack.enter_context(ActivationRecorder(model, names, transform=reduce))
            answers = model(images).float().cpu().numpy()
            require_called(recorder)
        yield start, recorder.outputs, answers
        split.release()


def _fastest(model: nn.Module, images: Tensor, names: Sequence[str]) -> nn.Module:
    with torch.inference_mode(), ActivationRecorder(model, names) as recorder:
        model(images[:1])
        require_called(recorder)
    return fast_copy(model, images[:N_COMPARED], names)


def check_rows(layer: str, rows: np.ndarray, width: int, start: int) -> None:
    """Raise PursuhintError for rows of another width than in the first batch, or that are not finite.

    Args:
        layer: its name.
        rows: (n, width).
        width: as in the first batch.
        start: position of the first image.
    """
    if rows.shape[1] != width:
        raise PursuhintError(
            f"layer `{layer}` must put out the same shape for every batch: {width} features an image in the "
            f"first one, {rows.shape[1]} from image {start:,} on; leave it out with `--exclude`, or take the "
            "pooling `mean`"
        )
    if not np.isfinite(rows).all():
        raise PursuhintError(
            f"layer `{layer}` puts out NaN or infinite values, first in the images {start:,} to "
            f"{start + len(rows) - 1:,}; check the weights and the preprocessing"
        )


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
