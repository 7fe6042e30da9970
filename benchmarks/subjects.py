"""What the benchmarks measure on: a network and images, named on the command line or made up."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pursuhint.data import Split, load_data
from pursuhint.data.images import choose_images
from pursuhint.models import build_model
from pursuhint.preprocess import KNOWN


def arguments(description: str, *, images: int) -> argparse.ArgumentParser:
    """Return the options that the benchmarks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--network", default="zoo:resnet56")
    parser.add_argument("--weights", type=Path, help="a checkpoint; random weights without it")
    parser.add_argument("--data", help="such as cifar10:PATH; random images of 32 x 32 without it")
    parser.add_argument("--images", type=int, default=images)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=3, help="repetitions, of which the quickest counts")
    parser.add_argument("--contestant", help="run only this one, once")
    parser.add_argument("--result", help="where that one leaves its result")
    return parser


def network(given: argparse.Namespace) -> nn.Module:
    """Build the network; the batch norms of random weights get statistics, or its activations explode."""
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    model = build_model(given.network, classes=10, weights=given.weights).model.requires_grad_(False)
    if given.weights is None:
        model.train()
        with torch.no_grad():
            for _ in range(5):
                model(torch.randn(64, 3, 32, 32))
    return model.eval()


def images(given: argparse.Namespace) -> Split:
    """Load or make up the images."""
    if given.data:
        return choose_images(load_data(given.data).train, given.images)
    pixels = np.random.default_rng(0).integers(0, 256, (given.images, 32, 32, 3), dtype=np.uint8)
    return Split(pixels, np.arange(given.images), np.arange(given.images) % 10)


def plain_pass(model: nn.Module, split: Split, batch_size: int) -> None:
    """Run the network over prepared images: eager, float32, no gradients."""
    with torch.inference_mode():
        for start in range(0, len(split), batch_size):
            model(KNOWN["imagenet"].apply(split.images(slice(start, start + batch_size))))
