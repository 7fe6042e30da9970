"""One layout for what layers put out, whatever the network: channels first, no register tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

CHANNELS_FIRST = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
"""Modules whose maps have their channels first also inside of a network that keeps them last."""


def in_layout(output: Tensor, module: nn.Module, model: nn.Module) -> Tensor:
    """Return a layer's output as maps with their channels first, or as tokens without registers.

    Args:
        output: of the layer, the images in front.
        module: the layer.
        model: the network that it is in.

    Returns:
        Shape (n, channels, height, width) or (n, class tokens + places, width); other outputs as they are.

    Example:
        >>> in_layout(torch.zeros(2, 7, 7, 96), nn.Linear(96, 96), nn.Identity()).shape
        torch.Size([2, 96, 7, 7])
    """
    if output.ndim == 4 and _channels_last(output, module, model):
        return output.permute(0, 3, 1, 2)
    if output.ndim == 3 and (registers := register_tokens(model)):
        kept = class_tokens(model)
        places = output.shape[1] - kept - registers
        # The patch embedding inside such a network puts out places alone.
        if places > 0 and round(places**0.5) ** 2 == places:
            rest = output[:, kept + registers :]
            return torch.cat([output[:, :kept], rest], dim=1) if kept else rest
    return output


def class_tokens(model: nn.Module) -> int:
    """Return how many tokens in front stand for the whole image: the class token, DeiT's second one.

    timm's models say how many are in front, registers included; torchvision's ViT has one.
    """
    stated = getattr(model, "num_prefix_tokens", None)
    if isinstance(stated, int):
        return stated - register_tokens(model)
    return int(isinstance(getattr(model, "class_token", None), Tensor))


def register_tokens(model: nn.Module) -> int:
    """Return how many tokens behind the class token stand for nothing at all, as in timm's ViTs and EVA."""
    registers: Any = getattr(model, "reg_token", None)
    return registers.shape[1] if isinstance(registers, Tensor) else 0


def _channels_last(maps: Tensor, module: nn.Module, model: nn.Module) -> bool:
    """Say whether maps are (n, height, width, channels).

    Swin's and others' are and timm says so; of a network that says nothing, a square in front and a width
    behind that only the layer's linear parts have, as in VOLO.
    """
    if isinstance(module, CHANNELS_FIRST):
        return False
    if str(getattr(model, "output_fmt", "")) == "NHWC" or "Swin" in type(model).__name__:
        return True
    height, width, channels = maps.shape[1:]
    if height != width or width == channels:
        return False
    parts = list(module.modules())
    convolved = {part.out_channels for part in parts if isinstance(part, nn.Conv2d)}
    linear = {part.out_features for part in parts if isinstance(part, nn.Linear)}
    return channels in linear and height not in convolved
