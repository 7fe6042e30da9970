"""The CIFAR networks of the distillation literature, with the published structure and key names.

The table of architectures is plain data: listing and checking names imports no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pursuhint.errors import InputError, one_line, unknown

if TYPE_CHECKING:
    from torch import nn

Variant = Literal["a", "b"]

WIDEST = 16.0


@dataclass(frozen=True)
class Architecture:
    """One row of the zoo.

    Attributes:
        family: ``"resnet"`` (post-activation) or ``"wrn"`` (pre-activation, wide).
        depth: number of weighted layers, as in the name.
        widths: output channels of the stem and of the three stages.
        variant: the shortcut of a new network; None where the family knows only one.
    """

    family: Literal["resnet", "wrn"]
    depth: int
    widths: tuple[int, int, int, int]
    variant: Variant | None

    @property
    def blocks(self) -> int:
        """Residual blocks in each of the three stages: depth is 6n + 2 (ResNet) or 6n + 4 (WRN)."""
        return (self.depth - (2 if self.family == "resnet" else 4)) // 6

    def scaled(self, width: float) -> tuple[int, int, int, int]:
        """Return the widths times ``width``, rounded, at least one channel each."""
        stem, first, second, third = (max(1, round(channels * width)) for channels in self.widths)
        return stem, first, second, third


_PLAIN = (16, 16, 32, 64)
_TIMES_4 = (32, 64, 128, 256)
ZOO: dict[str, Architecture] = {
    **{
        f"resnet{depth}": Architecture("resnet", depth, _PLAIN, "a") for depth in (8, 14, 20, 32, 44, 56, 110)
    },
    **{f"resnet{depth}x4": Architecture("resnet", depth, _TIMES_4, "b") for depth in (8, 32)},
    **{
        f"wrn_{depth}_{k}": Architecture("wrn", depth, (16, 16 * k, 32 * k, 64 * k), None)
        for depth in (16, 40)
        for k in (1, 2)
    },
}


@dataclass(frozen=True)
class ZooName:
    """A checked zoo name: a row of the table, its shortcut variant and the factor on its widths.

    Example:
        >>> str(ZooName("resnet56", "b", 0.5)), str(ZooName("resnet56", "a", 1.0))
        ('resnet56?variant=b&width=0.5', 'resnet56')
    """

    name: str
    variant: Variant | None
    width: float

    @property
    def architecture(self) -> Architecture:
        """The row of the table."""
        return ZOO[self.name]

    def __str__(self) -> str:
        options = [f"variant={self.variant}"] if self.variant != self.architecture.variant else []
        options += [f"width={self.width!r}".removesuffix(".0")] if self.width != 1 else []
        return "?".join([self.name, "&".join(options)]) if options else self.name


def parse_zoo_name(text: str) -> ZooName:
    """Read ``resnet56`` or ``resnet56?width=0.625&variant=b``.

    Args:
        text: a name of `ZOO`, then options: ``width`` (factor on all channels) and, ResNets only,
            ``variant`` (``a``: stride-2 slice and zero padding, head ``linear``; ``b``: 1x1 convolution, head
            ``fc``).

    Returns:
        The name with every option settled.

    Raises:
        InputError: the name or an option is unknown, or its value cannot be used.

    Example:
        >>> parse_zoo_name("resnet56?width=0.625")
        ZooName(name='resnet56', variant='a', width=0.625)
    """
    name, _, tail = text.partition("?")
    if name not in ZOO:
        raise unknown("zoo model", name, ZOO)
    variant, width = ZOO[name].variant, 1.0
    for option in filter(None, tail.split("&")):
        key, _, value = option.partition("=")
        if key == "width":
            width = _read_width(value)
        elif key == "variant":
            variant = _read_variant(name, value)
        else:
            raise unknown(f"option of `{name}`", key, ["width", "variant"])
    return ZooName(name, variant, width)


def build_zoo(name: str, *, classes: int, variant: Variant | None = None) -> nn.Module:
    """Build a CIFAR network with random weights (3 input channels, any image size from 8x8 up).

    Args:
        name: a name of `ZOO`, with options if wanted; see `parse_zoo_name`.
        classes: number of outputs.
        variant: overrules the variant in the name; ResNets only.

    Returns:
        The network in training mode; ``torch.manual_seed`` beforehand makes its weights repeatable.

    Raises:
        InputError: unknown name or option, or fewer than one class.

    Example:
        >>> sum(p.numel() for p in build_zoo("resnet20", classes=10).parameters())
        269722
    """
    parsed = parse_zoo_name(name)
    if variant is not None:
        parsed = ZooName(parsed.name, _read_variant(parsed.name, variant), parsed.width)
    if classes < 1:
        raise InputError(f"`classes` must be at least 1, found {classes}")
    architecture = parsed.architecture
    widths = architecture.scaled(parsed.width)
    if architecture.family == "wrn":
        from pursuhint.zoo.wrn import WideResNet

        return WideResNet(architecture.blocks, widths, classes)
    from pursuhint.zoo.resnet import ResNet

    return ResNet(architecture.blocks, widths, classes, parsed.variant or "a")


def _read_width(value: str) -> float:
    try:
        width = float(value)
    except ValueError:
        width = math.nan
    if not 0 < width <= WIDEST:
        raise InputError(
            f"`width` must be a number above 0 and at most {WIDEST:g}, such as 0.5; found `{one_line(value)}`"
        )
    return width


def _read_variant(name: str, value: str) -> Variant:
    if ZOO[name].variant is None:
        raise InputError(
            f"`{name}` exists in one form only, found `variant={one_line(value)}`; leave the variant out"
        )
    if value == "a" or value == "b":
        return value
    raise unknown(f"variant of `{name}`", value, ["a", "b"])
