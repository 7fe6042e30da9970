"""R2-CCA and linear CKA of mean-pooled features against one plain forward pass, and memory over images.

    python -m benchmarks.pooled --weights resnet56.th --data cifar10:PATH

Prints the ratio (aim: <= 1.15 plain passes at 10,000 images) and the peak memory of the whole work at 10,000
and at 50,000 images, each in a process of its own (aim: the same within 10 %).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from torch import nn

from benchmarks.subjects import arguments, images, network, plain_pass
from pursuhint.analysis.collect import collect_representations
from pursuhint.analysis.rows import RowsFile, feature_file
from pursuhint.data import Split
from pursuhint.layers import candidate_layers
from pursuhint.preprocess import KNOWN
from pursuhint.similarity import matrix_from_moments, measure_moments

BATCH = 128


def whole_work(model: nn.Module, split: Split) -> dict[str, float]:
    """Do everything from images to both matrices; returns the seconds of each part."""
    layers = candidate_layers(model, (3, 32, 32))
    marks = [time.perf_counter()]
    with tempfile.TemporaryDirectory() as folder:
        collect_representations(model, split, layers, KNOWN["imagenet"], folder=Path(folder))
        marks.append(time.perf_counter())
        files = {layer.name: RowsFile(feature_file(Path(folder), i)) for i, layer in enumerate(layers)}
        moments = measure_moments(files)
        marks.append(time.perf_counter())
        for metric in ("r2_cca", "cka_linear"):
            matrix_from_moments(moments, metric=metric)
        marks.append(time.perf_counter())
    parts = ("pass", "moments", "both matrices")
    return {part: end - start for part, (start, end) in zip(parts, pairwise(marks), strict=True)}


def peak_memory(given: argparse.Namespace, count: int) -> float:
    """Return the peak memory of the whole work in a fresh process, in MB."""
    options = [
        "--network",
        given.network,
        "--images",
        str(count),
        "--threads",
        str(given.threads),
        "--memory",
    ]
    options += ["--weights", str(given.weights)] if given.weights else []
    options += ["--data", given.data] if given.data else []
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pooled", *options], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__.splitlines()[0], images=10_000)
    parser.add_argument("--memory", action="store_true", help="only do the work once and print peak MB")
    given = parser.parse_args()
    model, split = network(given), images(given)
    if given.memory:
        whole_work(model, split)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    plain, best = float("inf"), {"pass": float("inf")}
    for _ in range(given.rounds):
        start = time.perf_counter()
        plain_pass(model, split, BATCH)
        plain = min(plain, time.perf_counter() - start)
        parts = whole_work(model, split)
        best = min(best, parts, key=lambda one: sum(one.values()))
    print(f"{given.network}, {len(split):,} images, {given.threads} threads")
    print(f"{'plain pass':<20}{plain:8.2f} s")
    for name, seconds in best.items():
        print(f"{name:<20}{seconds:8.2f} s {seconds / plain:8.2f} plain passes")
    print(f"{'all of it':<20}{sum(best.values()):8.2f} s {sum(best.values()) / plain:8.2f} plain passes")
    few, many = (peak_memory(given, count) for count in (len(split), 5 * len(split)))
    print(
        f"peak memory {few:.0f} MB at {len(split):,} images, {many:.0f} MB at {5 * len(split):,}: "
        f"{100 * (many / few - 1):+.1f} %"
    )


if __name__ == "__main__":
    main()
