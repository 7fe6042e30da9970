"""How large a zoo network is, from its table alone: thousands can be compared without building one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pursuhint.zoo import ZooName

STRIDES = (1, 2, 2)


class _Convolution(NamedTuple):
    """One convolution: its channels, the side of its kernel, the positions that it is computed at."""

    channels_in: int
    channels_out: int
    kernel: int
    positions: int

    @property
    def weights(self) -> int:
        return self.channels_in * self.channels_out * self.kernel**2


def zoo_parameters(name: ZooName, classes: int) -> int:
    """Count the trainable values of a zoo network.

    Args:
        name: of the network.
        classes: number of outputs.

    Example:
        >>> from pursuhint.zoo import parse_zoo_name
        >>> zoo_parameters(parse_zoo_name("resnet20"), classes=10)
        269722
    """
    stem, *others = _convolutions(name, 1, 1)
    last = name.architecture.scaled(name.width)[-1]
    if (
        name.architecture.family == "wrn"
    ):  # batch norms before the 3x3 convolutions but the stem, and at the end
        norms = sum(2 * one.channels_in for one in others if one.kernel == 3) + 2 * last
    else:  # a batch norm behind each convolution
        norms = sum(2 * one.channels_out for one in (stem, *others))
    return sum(one.weights for one in (stem, *others)) + norms + (last + 1) * classes


def zoo_flops(name: ZooName, classes: int, image_shape: tuple[int, int, int]) -> int:
    """Count the floating-point operations of the convolutions and the head for one image.

    Args:
        name: of the network.
        classes: number of outputs.
        image_shape: channels, height, width.

    Returns:
        FLOPs; a multiply-add is two, as in `torch.utils.flop_counter`.

    Example:
        >>> from pursuhint.zoo import parse_zoo_name
        >>> zoo_flops(parse_zoo_name("resnet20"), 10, (3, 32, 32)) // 2
        40551040
    """
    last = name.architecture.scaled(name.width)[-1]
    products = sum(one.weights * one.positions for one in _convolutions(name, *image_shape[1:]))
    return 2 * (products + last * classes)


def _convolutions(name: ZooName, height: int, width: int) -> Iterator[_Convolution]:
    """Yield every convolution, the stem first."""
    stem, *stages = name.architecture.scaled(name.width)
    yield _Convolution(3, stem, 3, height * width)
    channels = stem
    for stride, wide in zip(STRIDES, stages, strict=True):
        height, width = -(-height // stride), -(-width // stride)
        positions = height * width
        if (stride != 1 or channels != wide) and name.variant != "a":
            yield _Convolution(channels, wide, 1, positions)
        for _ in range(name.architecture.blocks):
            yield _Convolution(channels, wide, 3, positions)
            yield _Convolution(wide, wide, 3, positions)
            channels = wide
