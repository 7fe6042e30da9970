"""R2-CCA and linear CKA of mean-pooled features against one plain forward pass, and memory over images.

    python -m benchmarks.pooled --weights resnet56.th --data cifar10:PATH

Prints the ratio (aim: <= 1.15 plain passes at 10,000 images) and the peak memory of the whole work at that
number of images and at five times as many (aim: the same within 10 %). A plain pass is float32, eager,
contiguous, in a process that nothing was tuned in.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.contest import contest
from benchmarks.subjects import arguments, images, network, plain_pass
from pursuhint.analysis.collect import collect_representations
from pursuhint.analysis.rows import RowsFile, feature_file
from pursuhint.device import prepare_cpu
from pursuhint.layers import candidate_layers
from pursuhint.preprocess import KNOWN
from pursuhint.similarity import matrix_from_moments, measure_moments

BATCH = 128


def plain(given: argparse.Namespace) -> Callable[[], None]:
    """One forward pass as it stands."""
    model, split = network(given), images(given)
    plain_pass(model, split.take(slice(0, BATCH)), BATCH)
    return lambda: plain_pass(model, split, BATCH)


def ours(given: argparse.Namespace) -> Callable[[], np.ndarray]:
    """Everything from images to both matrices, features on disk."""
    prepare_cpu(given.threads)
    model, split = network(given).to(memory_format=torch.channels_last), images(given)
    layers = candidate_layers(model, (3, 32, 32))

    def work() -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            collect_representations(model, split, layers, KNOWN["imagenet"], folder=Path(folder))
            files = {layer.name: RowsFile(feature_file(Path(folder), i)) for i, layer in enumerate(layers)}
            moments = measure_moments(files)
        metrics = ("r2_cca", "cka_linear")
        return np.stack([matrix_from_moments(moments, metric=metric).values for metric in metrics])

    return work


def peak_memory(given: argparse.Namespace, count: int) -> float:
    """Return the peak memory of the whole work in a fresh process, in MB."""
    options = ["--memory", "--network", given.network, "--images", str(count)]
    options += ["--threads", str(given.threads)]
    options += ["--weights", str(given.weights)] if given.weights else []
    options += ["--data", given.data] if given.data else []
    command = [sys.executable, "-m", "benchmarks.pooled", *options]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__.splitlines()[0], images=10_000)
    parser.add_argument("--memory", action="store_true", help="only do the work once and print peak MB")
    given = parser.parse_args()
    if given.memory:
        ours(given)()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    found = contest("benchmarks.pooled", given, {"plain pass": plain, "ours": ours})
    if found is None:
        return
    seconds, _ = found
    print(f"{given.network}, {given.images:,} images, {given.threads} threads")
    for name, value in seconds.items():
        print(f"{name:<16}{value:8.2f} s {value / seconds['plain pass']:8.2f} plain passes")
    few, many = (peak_memory(given, times * given.images) for times in (1, 5))
    change = 100 * (many / few - 1)
    print(f"peak memory {few:.0f} MB, with five times as many images {many:.0f} MB: {change:+.1f} %")


if __name__ == "__main__":
    main()
