"""What a set of weights is: its hash, its number of classes, its shortcut variant."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from pursuhint.zoo import Variant

COUNTER = "num_batches_tracked"  # counts training batches; batch norm in evaluation never reads it
_HEAD = re.compile(
    r"(.*?\.)?(?:linear|fc|last_linear|(?:heads\.)?head(?:\.fc)?|classifier(?:\.(\d+))?)\.weight"
)


def hash_weights(weights: Mapping[str, Tensor]) -> str:
    """Return the identity of a set of weights: 16 hexadecimal digits of a SHA-256.

    Over names, types, shapes and bytes, in the order of the names. Batch counters are left out: two networks
    that differ only there are the same function.

    Args:
        weights: a state dict, on any device.

    Example:
        >>> hash_weights({"fc.weight": torch.zeros(2, 3)})
        'e9c7caed2e1c9f4a'
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        if not name.endswith(COUNTER):
            tensor = weights[name].detach().cpu().contiguous()
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def infer_variant(keys: Iterable[str]) -> Variant:
    """Tell the two published CIFAR ResNets apart: ``"b"`` has weights in its shortcuts, ``"a"`` has none.

    Example:
        >>> infer_variant(["module.layer2.0.downsample.0.weight", "module.fc.weight"])
        'b'
    """
    return "b" if any(".downsample." in key or ".shortcut." in key for key in keys) else "a"


def infer_classes(weights: Mapping[str, Tensor]) -> int | None:
    """Return the number of outputs of the classifier head, or None when no head is recognised.

    Args:
        weights: a state dict, wrapper prefixes allowed.

    Example:
        >>> infer_classes({"module.layer1.weight": torch.zeros(4, 4), "module.fc.weight": torch.zeros(10, 4)})
        10
    """
    heads = {name: tensor for name, tensor in weights.items() if tensor.ndim >= 2 and tensor.numel()}
    matches = [match for name in heads if (match := _HEAD.fullmatch(name))]
    if not matches:
        return None
    # The outermost one, and of a `classifier` in several steps the last.
    head = max(matches, key=lambda match: (-(match[1] or "").count("."), int(match[2] or 0)))
    return weights[head.string].shape[0]
