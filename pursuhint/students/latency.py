"""How long networks take for an image, measured side by side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from pursuhint.errors import InputError

if TYPE_CHECKING:
    from torch import nn

WARM_UP, ROUNDS = 3, 15


def measure_latency(
    models: Sequence[nn.Module],
    image_shape: tuple[int, int, int],
    *,
    batch_size: int = 1,
    threads: int = 1,
) -> tuple[float, ...]:
    """Measure the forward passes of networks on this machine's CPU.

    The networks take turns, so that what else the machine does hits all alike: their ratios are surer than
    the figures themselves.

    Args:
        models: the networks, in eval mode while they are measured.
        image_shape: channels, height, width.
        batch_size: images in a forward pass.
        threads: CPU threads.

    Returns:
        Seconds for one image, network by network: the median over the rounds after warming up.

    Raises:
        InputError: `batch_size` or `threads` is below 1.

    Example:
        >>> from pursuhint.zoo import build_zoo
        >>> (seconds,) = measure_latency([build_zoo("resnet8", classes=10)], (3, 8, 8))
        >>> 0 < seconds < 1
        True
    """
    import torch

    for name, value in (("batch_size", batch_size), ("threads", threads)):
        if value < 1:
            raise InputError(f"`{name}` must be at least 1; found {value}")
    images = torch.zeros(batch_size, *image_shape)
    former, modes = torch.get_num_threads(), [model.training for model in models]
    seconds: list[list[float]] = [[] for _ in models]
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            for turn in range(WARM_UP + ROUNDS):
                for model, taken in zip(models, seconds, strict=True):
                    began = time.perf_counter()
                    model.eval()(images)
                    if turn >= WARM_UP:
                        taken.append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(former)
        for model, mode in zip(models, modes, strict=True):
            model.train(mode)
    return tuple(median(taken) / batch_size for taken in seconds)
