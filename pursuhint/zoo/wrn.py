"""Wide residual networks for 32x32 images (Zagoruyko and Komodakis 2016)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class PreactivationBlock(nn.Module):
    """bn-relu-conv-bn-relu-conv, plus the shortcut.

    Where the width changes, the shortcut is a 1x1 convolution that reads the activated input; elsewhere it is
    the raw input. A change of stride without one of width (tiny scaled networks) also takes the convolution.
    """

    def __init__(self, width_in: int, width_out: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(width_in)
        self.conv1 = nn.Conv2d(width_in, width_out, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width_out)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1, bias=False)
        self.convShortcut: nn.Conv2d | None = None
        if stride != 1 or width_in != width_out:
            self.convShortcut = nn.Conv2d(width_in, width_out, 1, stride=stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, width_in, H, W) to (N, width_out, ceil(H / stride), ceil(W / stride))."""
        active = F.relu(self.bn1(x), inplace=True)
        residual = x if self.convShortcut is None else self.convShortcut(active)
        out = self.conv2(F.relu(self.bn2(self.conv1(active)), inplace=True))
        out += residual  # in place: one feature map less to allocate
        return out


class Stage(nn.Module):
    """One stage; it exists because the published keys read ``block1.layer.0``."""

    def __init__(self, blocks: int, width_in: int, width_out: int, stride: int) -> None:
        super().__init__()
        first = PreactivationBlock(width_in, width_out, stride)
        rest = (PreactivationBlock(width_out, width_out, 1) for _ in range(blocks - 1))
        self.layer = nn.Sequential(first, *rest)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, width_in, H, W) to (N, width_out, ceil(H / stride), ceil(W / stride))."""
        return self.layer(x)


class WideResNet(nn.Module):
    """Stem, three stages of ``blocks`` pre-activation blocks, bn-relu, global mean, linear head.

    Args:
        blocks: blocks in each stage; depth is 6 * blocks + 4.
        widths: channels of the stem and of the three stages.
        classes: outputs.

    Source:
        Zagoruyko, Komodakis: Wide Residual Networks (2016); key names are those of RepDistiller.
    """

    def __init__(self, blocks: int, widths: tuple[int, int, int, int], classes: int) -> None:
        super().__init__()
        stem, *stages = widths
        self.conv1 = nn.Conv2d(3, stem, 3, padding=1, bias=False)
        self.block1 = Stage(blocks, stem, stages[0], 1)
        self.block2 = Stage(blocks, stages[0], stages[1], 2)
        self.block3 = Stage(blocks, stages[1], stages[2], 2)
        self.bn1 = nn.BatchNorm2d(stages[2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(stages[2], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, 3, H, W) to logits (N, classes)."""
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(self.avgpool(F.relu(self.bn1(x), inplace=True)).flatten(1))
