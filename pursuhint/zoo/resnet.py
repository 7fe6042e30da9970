"""ResNets for 32x32 images (He et al. 2016, section 4.2) in their two published variants."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from pursuhint.zoo import Variant


class ZeroPadShortcut(nn.Module):
    """Option A: keep every ``stride``-th pixel and pad the missing channels with zeros on both sides.

    Has no parameters and so adds no keys. An odd number of missing channels puts the extra one last; in the
    published widths (planes doubling) both sides get planes / 4.
    """

    def __init__(self, missing: int, stride: int) -> None:
        super().__init__()
        self.before, self.after, self.stride = missing // 2, missing - missing // 2, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) to (N, C + missing, ceil(H / stride), ceil(W / stride))."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))


class BasicBlock(nn.Module):
    """conv-bn-relu-conv-bn, plus the shortcut, then relu."""

    def __init__(self, width_in: int, width_out: int, stride: int, variant: Variant) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width_out)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width_out)
        self.downsample: nn.Module | None = None
        if stride != 1 or width_in != width_out:
            self.downsample = _shortcut(width_in, width_out, stride, variant)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, width_in, H, W) to (N, width_out, ceil(H / stride), ceil(W / stride))."""
        residual = x if self.downsample is None else self.downsample(x)
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        out += residual  # in place: one feature map less to allocate
        return F.relu(out, inplace=True)


class ResNet(nn.Module):
    """Stem, three stages of ``blocks`` basic blocks, global mean, linear head.

    Args:
        blocks: basic blocks in each stage; depth is 6 * blocks + 2.
        widths: channels of the stem and of the three stages.
        classes: outputs.
        variant: ``"a"`` has the shortcut without parameters and the head ``linear``, ``"b"`` the 1x1
            convolution with batch norm and the head ``fc``.

    Source:
        He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2016), section 4.2. Key names of
        variant ``a`` are those of Y. Idelbayev's pytorch_resnet_cifar10, of ``b`` those of RepDistiller.
    """

    def __init__(
        self, blocks: int, widths: tuple[int, int, int, int], classes: int, variant: Variant
    ) -> None:
        super().__init__()
        stem, *stages = widths
        self.conv1 = nn.Conv2d(3, stem, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.layer1 = _stage(blocks, stem, stages[0], 1, variant)
        self.layer2 = _stage(blocks, stages[0], stages[1], 2, variant)
        self.layer3 = _stage(blocks, stages[1], stages[2], 2, variant)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.head_name = "linear" if variant == "a" else "fc"
        setattr(self, self.head_name, nn.Linear(stages[2], classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, 3, H, W) to logits (N, classes)."""
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer3(self.layer2(self.layer1(x)))
        head = self.linear if self.head_name == "linear" else self.fc
        return head(self.avgpool(x).flatten(1))


def _shortcut(width_in: int, width_out: int, stride: int, variant: Variant) -> nn.Module:
    if variant == "a":
        return ZeroPadShortcut(width_out - width_in, stride)
    return nn.Sequential(
        nn.Conv2d(width_in, width_out, 1, stride=stride, bias=False), nn.BatchNorm2d(width_out)
    )


def _stage(blocks: int, width_in: int, width_out: int, stride: int, variant: Variant) -> nn.Sequential:
    first = BasicBlock(width_in, width_out, stride, variant)
    return nn.Sequential(first, *(BasicBlock(width_out, width_out, 1, variant) for _ in range(blocks - 1)))
