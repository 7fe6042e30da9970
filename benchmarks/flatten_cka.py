"""Debiased CKA of flattened activations against torch_cka and against one plain forward pass.

    pip install -r benchmarks/requirements.txt
    python -m benchmarks.flatten_cka --weights resnet56.th --data cifar10:PATH

Prints seconds, both ratios (aims: >= 18x torch_cka with ResNet-56, >= 35x with ResNet-110, <= 1.1x the plain
pass) and the largest error of each against a float64 reference on the same images (aim: 1e-3). A plain pass
is float32, eager, contiguous, in a process that nothing was tuned in.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from benchmarks.contest import contest
from benchmarks.subjects import arguments, images, network, plain_pass
from pursuhint.analysis.gram import collect_hsic
from pursuhint.data import Split
from pursuhint.device import prepare_cpu
from pursuhint.folding import fast_copy
from pursuhint.layers import candidate_layers
from pursuhint.preprocess import KNOWN
from pursuhint.recorder import ActivationRecorder
from pursuhint.similarity import cka_from_hsic
from pursuhint.similarity.minibatch_hsic import BATCH

RECIPE = KNOWN["imagenet"]


def subject(given: argparse.Namespace) -> tuple[nn.Module, Split, list[str]]:
    """Return network, images and layer names, the network warmed up by one batch."""
    model, split = network(given), images(given)
    plain_pass(model, split.take(slice(0, BATCH)), BATCH)
    return model, split, [layer.name for layer in candidate_layers(model, (3, 32, 32))]


def plain(given: argparse.Namespace) -> Callable[[], None]:
    """One forward pass as it stands."""
    model, split, _ = subject(given)
    return lambda: plain_pass(model, split, BATCH)


def quick(given: argparse.Namespace) -> Callable[[], None]:
    """One forward pass as the project makes it: folded, channels last, freed memory kept."""
    prepare_cpu(given.threads)
    model, split, names = subject(given)
    model = model.to(memory_format=torch.channels_last)
    faster = fast_copy(model, RECIPE.apply(split.images(slice(0, 16))), names)
    plain_pass(faster, split.take(slice(0, BATCH)), BATCH)
    return lambda: plain_pass(faster, split, BATCH)


def ours(given: argparse.Namespace) -> Callable[[], np.ndarray]:
    """The whole matrix as the project computes it, folding included."""
    prepare_cpu(given.threads)
    model, split, _ = subject(given)
    model = model.to(memory_format=torch.channels_last)
    layers = candidate_layers(model, (3, 32, 32))
    return lambda: cka_from_hsic(*collect_hsic(model, split, layers, RECIPE)[:2])


def torch_cka(given: argparse.Namespace) -> Callable[[], np.ndarray]:
    """The whole matrix as torch_cka 0.21 computes it, from the same batches."""
    from torch_cka import CKA

    model, split, names = subject(given)
    prepared = [(RECIPE.apply(split.images(slice(i, i + BATCH))),) for i in range(0, len(split), BATCH)]
    loader = torch.utils.data.DataLoader(prepared, batch_size=None)

    def compare() -> np.ndarray:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()), torch.inference_mode():
            warnings.simplefilter("ignore")
            peer = CKA(model, model, "a", "b", model1_layers=names, model2_layers=names)
            peer.compare(loader)
        return peer.hsic_matrix.numpy()

    return compare


def reference(given: argparse.Namespace) -> np.ndarray:
    """Return (L, L) by plain loops in float64, the forward pass included."""
    model, split, names = subject(given)
    model.double()
    total = np.zeros((len(names), len(names)))
    for start in range(0, len(split), BATCH):
        pixels = RECIPE.apply(split.images(slice(start, start + BATCH))).double()
        with torch.inference_mode(), ActivationRecorder(model, names) as recorder:
            model(pixels)
        flat = [recorder.outputs[name].flatten(1) for name in names]
        grams, n = [rows @ rows.T for rows in flat], len(pixels)
        for gram in grams:
            gram.fill_diagonal_(0)
        for i, first in enumerate(grams):
            for j, second in enumerate(grams):
                trace, middle = (first * second).sum(), first.sum(0) @ second.sum(0)
                ends = first.sum() * second.sum() / ((n - 1) * (n - 2))
                total[i, j] += n * float(trace + ends - 2 / (n - 2) * middle) / (n * (n - 3))
    norms = np.sqrt(np.diag(total))
    return total / np.outer(norms, norms)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__.splitlines()[0], images=2560)
    parser.add_argument("--without-peer", action="store_true", help="leave torch_cka out")
    given = parser.parse_args()
    contestants = {"plain pass": plain, "quick pass": quick, "ours": ours}
    if not given.without_peer:
        contestants["torch_cka"] = torch_cka
    found = contest("benchmarks.flatten_cka", given, contestants)
    if found is None:
        return
    seconds, results = found
    print(f"{given.network}, {given.images:,} images, {given.threads} threads")
    for name, value in seconds.items():
        print(f"{name:<16}{value:8.2f} s {value / seconds['plain pass']:8.2f} plain passes")
    if "torch_cka" in seconds:
        print(f"ours is {seconds['torch_cka'] / seconds['ours']:.1f}x as fast as torch_cka")
    truth = reference(given)
    for name, values in results.items():
        print(f"largest error of {name:<12}{np.abs(values - truth).max():10.1e}")


if __name__ == "__main__":
    main()
