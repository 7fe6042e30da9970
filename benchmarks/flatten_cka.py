"""Debiased CKA of flattened activations against torch_cka and against one plain forward pass.

    pip install -r benchmarks/requirements.txt
    python -m benchmarks.flatten_cka --weights resnet56.th --data cifar10:PATH

Prints seconds, both ratios (aims: >= 18x torch_cka with ResNet-56, >= 35x with ResNet-110, <= 1.1x the plain
pass) and the largest error of each against a float64 reference on the same images (aim: 1e-3).
"""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np
import torch
from torch import nn

from benchmarks.subjects import arguments, images, network, plain_pass, quickest
from pursuhint.analysis.gram import collect_hsic
from pursuhint.data import Split
from pursuhint.folding import fast_copy
from pursuhint.layers import Layer, candidate_layers
from pursuhint.preprocess import KNOWN
from pursuhint.recorder import ActivationRecorder
from pursuhint.similarity import cka_from_hsic

BATCH = 256
RECIPE = KNOWN["imagenet"]


def ours(model: nn.Module, split: Split, layers: list[Layer]) -> np.ndarray:
    """Return (L, L) as the project computes it."""
    hsic, sizes, _ = collect_hsic(model, split, layers, RECIPE)
    return cka_from_hsic(hsic, sizes)


def torch_cka(model: nn.Module, split: Split, layers: list[Layer]) -> np.ndarray:
    """Return (L, L) as torch_cka 0.21 computes it, from the same batches."""
    from torch_cka import CKA

    prepared = [(RECIPE.apply(split.images(slice(i, i + BATCH))),) for i in range(0, len(split), BATCH)]
    loader = torch.utils.data.DataLoader(prepared, batch_size=None)
    names = [layer.name for layer in layers]
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()), torch.inference_mode():
        warnings.simplefilter("ignore")
        peer = CKA(model, model, "a", "b", model1_layers=names, model2_layers=names)
        peer.compare(loader)
    for module in model.modules():
        module._forward_hooks.clear()  # torch_cka leaves its own there
    return peer.hsic_matrix.numpy()


def reference(model: nn.Module, split: Split, layers: list[Layer]) -> np.ndarray:
    """Return (L, L) by plain loops in float64, the forward pass included."""
    names = [layer.name for layer in layers]
    double = model.double()
    total = np.zeros((len(names), len(names)))
    for start in range(0, len(split), BATCH):
        pixels = RECIPE.apply(split.images(slice(start, start + BATCH))).double()
        with torch.inference_mode(), ActivationRecorder(double, names) as recorder:
            double(pixels)
        grams = [recorder.outputs[name].flatten(1) @ recorder.outputs[name].flatten(1).T for name in names]
        n = len(pixels)
        for gram in grams:
            gram.fill_diagonal_(0)
        for i, first in enumerate(grams):
            for j, second in enumerate(grams):
                trace, middle = (first * second).sum(), first.sum(0) @ second.sum(0)
                ends = first.sum() * second.sum() / ((n - 1) * (n - 2))
                total[i, j] += n * float(trace + ends - 2 / (n - 2) * middle) / (n * (n - 3))
    model.float()
    norms = np.sqrt(np.diag(total))
    return total / np.outer(norms, norms)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__.splitlines()[0], images=1024)
    parser.add_argument("--without-peer", action="store_true", help="leave torch_cka out")
    given = parser.parse_args()
    model, split = network(given), images(given)
    layers = candidate_layers(model, (3, 32, 32))
    faster = fast_copy(model, RECIPE.apply(split.images(slice(0, 16))), [layer.name for layer in layers])
    print(f"{given.network}, {len(layers)} layers, {len(split)} images, {given.threads} threads")

    found: dict[str, np.ndarray] = {}
    works = {
        "plain pass": lambda: plain_pass(model, split, BATCH),
        "folded, channels-last pass": lambda: plain_pass(faster, split, BATCH),
        "ours": lambda: found.update(ours=ours(model, split, layers)),
    }
    seconds = quickest(works, given.rounds)
    if not given.without_peer:
        seconds |= quickest({"torch_cka": lambda: found.update(torch_cka=torch_cka(model, split, layers))}, 1)
    for name, value in seconds.items():
        print(f"{name:<32}{value:8.2f} s {value / seconds['plain pass']:8.2f} plain passes")
    truth = reference(model, split, layers)
    for name, values in found.items():
        print(f"largest error of {name:<15}{np.abs(values - truth).max():12.1e}")
    if "torch_cka" in seconds:
        print(f"ours is {seconds['torch_cka'] / seconds['ours']:.1f}x as fast as torch_cka")


if __name__ == "__main__":
    main()
