"""How long a change of metric or method takes, and a hundred matrices of parts of the images.

    python -m benchmarks.resamples

54 layers as wide as those of ResNet-110, 10,000 images, 16 of 20 blocks in each part. Aims: another metric or
method in less than 0.3 s, the hundred parts in less than 5 s for R2-CCA and linear CKA. The first lines are
what every metric shares; the last columns say which share of the whole a step has.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pursuhint.clustering import METHODS, cluster_layers
from pursuhint.similarity import METRICS, Moments, matrix_from_moments, measure_moments
from pursuhint.similarity.basis import measure_bases
from pursuhint.similarity.block_moments import BlockMoments, measure_blocks
from pursuhint.similarity.threads import in_threads

WIDTHS = (16,) * 18 + (32,) * 18 + (64,) * 18
SAMPLES, BLOCKS, CHOSEN, RESAMPLES = 10_000, 20, 16, 100
QUICK = ("r2_cca", "cka_linear", "cka_linear_debiased", "linear_regression")


def make_layers() -> dict[str, np.ndarray]:
    """Return float32 ReLU layers, each made of the one before."""
    rng = np.random.default_rng(0)
    features, layers = rng.normal(size=(SAMPLES, WIDTHS[0])), {}
    for number, width in enumerate(WIDTHS):
        mixed = features @ rng.normal(size=(features.shape[1], width)) / np.sqrt(features.shape[1])
        features = np.maximum(mixed + 0.3 * rng.normal(size=mixed.shape), 0.0)
        layers[f"layer{number}"] = features.astype(np.float32)
    return layers


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns, and its seconds."""
    start = time.perf_counter()
    return call(), time.perf_counter() - start


def _compute_part(
    compute: Callable[[Moments], np.ndarray], blocks: BlockMoments, part: list[int]
) -> np.ndarray:
    return compute(blocks.moments_of(part))


def main() -> None:
    """Print seconds of every step."""
    layers = make_layers()
    rng = np.random.default_rng(1)
    parts = [rng.choice(BLOCKS, CHOSEN, replace=False).tolist() for _ in range(RESAMPLES)]

    _, bases = timed(lambda: measure_bases(layers))
    moments, whole = timed(lambda: measure_moments(layers))
    with tempfile.TemporaryDirectory() as folder:
        moments.save(Path(folder) / "moments.npz")
        _, reading = timed(lambda: Moments.load(Path(folder) / "moments.npz"))
    matrix = matrix_from_moments(moments, metric="r2_cca")
    cluster_layers(matrix, 3, method="spectral")  # imports scikit-learn
    blocks, cutting = timed(lambda: measure_blocks(layers, count=BLOCKS, total=moments))
    _, adding = timed(lambda: list(in_threads(lambda part: blocks.moments_of(part).samples, parts)))
    print(f"{len(WIDTHS)} layers, {SAMPLES:,} images, {RESAMPLES} times {CHOSEN} of {BLOCKS} blocks")
    print(f"bases of all images            {bases:6.2f} s")
    print(f"moments of all images          {whole:6.2f} s, bases included")
    print(f"moments read from disk         {reading:6.2f} s")
    for method in METHODS:
        _, grouping = timed(lambda method=method: cluster_layers(matrix, 3, method=method))
        print(f"clusters by {method:18} {grouping:6.3f} s")
    print(f"moments of {BLOCKS} blocks           {cutting:6.2f} s, once those of all images are known")
    print(f"moments of {RESAMPLES} parts           {adding:6.2f} s")
    columns = ("metric", "one matrix", "of the parts", "with blocks", "blocks", "parts", "rest")
    print("\n{:22}{:>12}{:>14}{:>13}{:>8}{:>7}{:>7}".format(*columns))
    for metric in METRICS:
        if METRICS[metric].family != "moments":
            continue
        _, one = timed(lambda metric=metric: matrix_from_moments(moments, metric=metric))
        if metric not in QUICK:
            print(f"{metric:22}{one:10.3f} s")
            continue
        compute = METRICS[metric].compute
        work = partial(_compute_part, compute, blocks)
        _, all_parts = timed(lambda work=work: list(in_threads(work, parts)))
        total = cutting + all_parts
        shares = f"{cutting / total:8.0%}{adding / total:7.0%}{(all_parts - adding) / total:7.0%}"
        print(f"{metric:22}{one:10.3f} s{all_parts:12.2f} s{total:11.2f} s{shares}")


if __name__ == "__main__":
    main()
