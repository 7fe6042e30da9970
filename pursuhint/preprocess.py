"""What happens to an image before a network sees it: resize, crop, scale to 0..1, normalise each channel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from pursuhint.errors import InputError, one_line, unknown

if TYPE_CHECKING:
    import numpy as np
    import torch

RGB = tuple[float, float, float]
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


@dataclass(frozen=True)
class Preprocess:
    """One recipe, the same for training, analysis and export.

    Attributes:
        name: for display; two recipes that do the same are equal whatever they are called.
        mean: subtracted from each channel, on the scale 0..1.
        std: divides each channel.
        resize: the short side in pixels, or None to keep the size.
        crop: side of the square cut from the centre, or None.
        interpolation: one of `INTERPOLATIONS`; smoothed when it shrinks, as torchvision and timm do.
    """

    name: str = field(compare=False)
    mean: RGB
    std: RGB
    resize: int | None = None
    crop: int | None = None
    interpolation: str = "bilinear"

    @property
    def text(self) -> str:
        """The form that `parse_preprocess` reads back to an equal recipe.

        Example:
            >>> parse_preprocess("imagenet/256/224").text
            'imagenet/256/224'
        """
        known = next((name for name, p in KNOWN.items() if (p.mean, p.std) == (self.mean, self.std)), None)
        parts = [known] if known else [",".join(map(repr, self.mean)), ",".join(map(repr, self.std))]
        if self.interpolation != "bilinear":
            parts += [str(self.resize or ""), str(self.crop or ""), self.interpolation]
        elif self.resize or self.crop:
            parts += [str(self.resize or ""), str(self.crop or "")]
        return "/".join(parts)

    @property
    def filled(self) -> Preprocess:
        """The same without a margin: all of a square image, not its middle, becomes the network's input.

        Example:
            >>> parse_preprocess("imagenet/256/224").filled.text
            'imagenet/224/224'
        """
        return replace(self, resize=self.crop) if self.crop else self

    def apply(self, images: np.ndarray | torch.Tensor, device: str | torch.device = "cpu") -> torch.Tensor:
        """Turn stored images into network input.

        Args:
            images: (N, H, W, 3), uint8, 0..255.
            device: where the result lives; the bytes travel, the arithmetic happens there.

        Returns:
            (N, 3, h, w) float32, contiguous.

        Raises:
            InputError: another shape or type.

        Example:
            >>> import numpy as np
            >>> KNOWN["none"].apply(np.full((2, 8, 8, 3), 255, np.uint8)).unique()
            tensor([1.])
        """
        import torch

        pixels = torch.as_tensor(images)
        if pixels.dtype != torch.uint8 or pixels.ndim != 4 or pixels.shape[-1] != 3:
            shape = tuple(pixels.shape)
            raise InputError(
                f"`images` must be uint8 of shape (N, H, W, 3), found {pixels.dtype} of shape {shape}"
            )
        pixels = self._resized(pixels.to(device).permute(0, 3, 1, 2).contiguous())
        mean, std = (_per_channel(values, pixels.device) for values in (self.mean, self.std))
        return pixels.float().div_(255).sub_(mean).div_(std)

    def shown(self, images: np.ndarray) -> np.ndarray:
        """Return images as the network gets them, resized and cropped, in colours for people.

        Args:
            images: (N, H, W, 3), uint8.

        Returns:
            (N, h, w, 3), uint8.
        """
        plain = replace(self, mean=KNOWN["none"].mean, std=KNOWN["none"].std).apply(images)
        return plain.mul(255).round().byte().permute(0, 2, 3, 1).numpy()

    def shape_of(self, images: np.ndarray) -> tuple[int, int, int]:
        """Return channels, height and width that the first of these images has once it is prepared.

        Example:
            >>> import numpy as np
            >>> parse_preprocess("imagenet/16").shape_of(np.zeros((5, 8, 8, 3), np.uint8))
            (3, 16, 16)
        """
        return tuple(self.apply(images[:1]).shape[1:])

    def _resized(self, pixels: torch.Tensor) -> torch.Tensor:
        if self.resize is None and self.crop is None:
            return pixels
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms.v2 import functional as transforms

        if self.resize is not None and min(pixels.shape[-2:]) != self.resize:
            pixels = transforms.resize(
                pixels, [self.resize], InterpolationMode(self.interpolation), antialias=True
            )
        if self.crop is not None:
            pixels = transforms.center_crop(pixels, [self.crop, self.crop])
        return pixels.contiguous()


KNOWN: dict[str, Preprocess] = {
    "imagenet": Preprocess("imagenet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar10": Preprocess("cifar10", (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "cifar100": Preprocess("cifar100", (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
    "digits": Preprocess("digits", (0.306, 0.306, 0.306), (0.376, 0.376, 0.376)),
    "none": Preprocess("none", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Mean and deviation of each data set's training pixels, sizes unchanged; ``none`` only scales to 0..1."""


def parse_preprocess(text: str) -> Preprocess:
    """Read a recipe: a name of `KNOWN` or ``mean/std``, then optionally the size.

    Args:
        text: ``NAME`` or ``m,m,m/s,s,s``, each followed by ``/RESIZE``, ``/RESIZE/CROP`` or
            ``/RESIZE/CROP/INTERPOLATION`` if wanted. A single size resizes the short side and crops the
            square; an empty part is left out.

    Returns:
        The recipe.

    Raises:
        InputError: unknown name, or a part that is not of this form.

    Example:
        >>> parse_preprocess("0.5,0.5,0.5/0.25,0.25,0.25/64")  # doctest: +NORMALIZE_WHITESPACE
        Preprocess(name='0.5,0.5,0.5/0.25,0.25,0.25/64', mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25),
                   resize=64, crop=64, interpolation='bilinear')
    """
    first, *rest = text.strip().split("/")
    if first in KNOWN:
        mean, std = KNOWN[first].mean, KNOWN[first].std
    elif "," in first:
        mean, std = _read_rgb(first, text), _read_rgb(rest.pop(0) if rest else "", text)
    else:
        raise unknown("preprocess", first, [*KNOWN, "m,m,m/s,s,s", "m,m,m/s,s,s/size"])
    if min(std) <= 0:
        raise InputError(f"every deviation of the preprocess must be above 0, found `{one_line(text)}`")
    if len(rest) > 3:
        raise _malformed(text)
    resize = _read_size(rest[0], text) if rest else None
    crop = _read_size(rest[1], text) if len(rest) > 1 else resize
    interpolation = rest[2] if len(rest) > 2 else "bilinear"
    if interpolation not in INTERPOLATIONS:
        raise unknown("interpolation", interpolation, INTERPOLATIONS)
    return Preprocess(text.strip(), mean, std, resize, crop, interpolation)


def _read_rgb(part: str, text: str) -> RGB:
    try:
        red, green, blue = (float(value) for value in part.split(","))
    except ValueError:
        raise _malformed(text) from None
    if not all(abs(value) < float("inf") for value in (red, green, blue)):
        raise _malformed(text)
    return red, green, blue


def _read_size(part: str, text: str) -> int | None:
    if not part:
        return None
    if not re.fullmatch("[0-9]{1,4}", part) or not 1 <= int(part) <= 4096:
        raise InputError(
            f"a size of the preprocess must be 1 to 4096 pixels, found `{one_line(part)}` in "
            f"`{one_line(text)}`"
        )
    return int(part)


def _malformed(text: str) -> InputError:
    return InputError(
        f"a preprocess must be one of {', '.join(KNOWN)} or `m,m,m/s,s,s[/resize[/crop[/interpolation]]]` "
        f"with three numbers each, found `{one_line(text)}`"
    )


@lru_cache(maxsize=64)
def _per_channel(values: RGB, device: torch.device) -> torch.Tensor:
    """Return one number a channel, sent to a device once: sending makes a GPU finish what it has begun."""
    import torch

    return torch.tensor(values, device=device).view(1, 3, 1, 1)
