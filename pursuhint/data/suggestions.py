"""Which networks suit the images of a data set, judged by their size alone; nothing is decoded."""

from __future__ import annotations

import itertools
from pathlib import Path

SMALL = ("zoo:resnet56", "zoo:resnet110", "zoo:wrn_40_2", "zoo:resnet32x4", "zoo:resnet20")
LARGE = (
    "torchvision:resnet50",
    "torchvision:resnet34",
    "torchvision:convnext_tiny",
    "torchvision:efficientnet_b0",
    "timm:vit_small_patch16_224",
)
SMALL_SIDE = 64
"""Longest side in pixels of images that the zoo's networks are made for."""


def suggested_teachers(data: str) -> tuple[str, ...]:
    """Name networks that could become a teacher on a data set, the usual one first.

    Args:
        data: as `pursuhint.data.load_data` takes it; an unreadable folder counts as one of large images.

    Example:
        >>> suggested_teachers("digits")[0], suggested_teachers("folder:/none")[0]
        ('zoo:resnet56', 'torchvision:resnet50')
    """
    kind, _, place = data.partition(":")
    if kind != "folder":
        return SMALL
    side = _longest_side(Path(place).expanduser())
    return SMALL if side is not None and side <= SMALL_SIDE else LARGE


def _longest_side(root: Path) -> int | None:
    from PIL import Image, UnidentifiedImageError

    files = (path for path in root.glob("train/*/*") if path.is_file())
    for path in itertools.islice(files, 5):
        try:
            with Image.open(path) as image:
                return max(image.size)
        except (OSError, UnidentifiedImageError):  # no image, such as a list of labels
            continue
    return None
