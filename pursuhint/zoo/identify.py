"""Recognise a zoo network by the shapes of its weights, to say which model a checkpoint belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from pursuhint.zoo import WIDEST, ZOO, Architecture, ZooName, build_zoo

HEADS = ("linear", "fc")
_LAST_STAGE = {"resnet": "layer3.0.conv2.weight", "wrn": "block3.layer.0.conv2.weight"}

Shapes = Mapping[str, tuple[int, ...]]


def identify(weights: Mapping[str, torch.Tensor]) -> str | None:
    """Name the zoo network whose body has exactly these keys and shapes.

    The head's name and number of classes and the batch counters play no part.

    Args:
        weights: a state dict without wrapper prefixes.

    Returns:
        A zoo name with its options, or None when no zoo network fits.

    Example:
        >>> identify(build_zoo("resnet14?width=0.5", classes=7).state_dict())
        'resnet14?width=0.5'
    """
    body = _body(weights)
    for candidate in _candidates(body):
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they are
            model = build_zoo(str(candidate), classes=1)
        if _body(model.state_dict()) == body:
            return str(candidate)
    return None


def _candidates(body: Shapes) -> Iterator[ZooName]:
    for name, architecture in ZOO.items():
        last = body.get(_LAST_STAGE[architecture.family])
        if last is None or len(last) != 4 or _blocks(body, architecture) != architecture.blocks:
            continue
        width = last[0] / architecture.widths[-1]
        if 0 < width <= WIDEST:
            variants = ("a", "b") if architecture.variant else (None,)
            yield from (ZooName(name, variant, width) for variant in variants)


def _blocks(body: Shapes, architecture: Architecture) -> int:
    before, after = _LAST_STAGE[architecture.family].split("0", 1)
    return sum(key.startswith(before) and key.endswith(after) for key in body)


def _body(weights: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {
        name: tuple(tensor.shape)
        for name, tensor in weights.items()
        if not name.endswith("num_batches_tracked") and name.split(".")[0] not in HEADS
    }
