"""Augmentation as a function of (seed, epoch, image): the same view on every device, worker and resume.

Nothing here keeps a state: the random numbers of an image in an epoch are read off a counter-based stream,
so the teacher, the student, a second process and a resumed run all see the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pursuhint.errors import find_named

if TYPE_CHECKING:
    from torch import Tensor

N_DRAWS = 8
"""Uniform numbers drawn for each image and epoch."""


def draws(seed: int, epoch: int, ids: np.ndarray) -> np.ndarray:
    """Return the uniform numbers of these images in this epoch.

    Args:
        seed: of the run.
        epoch: counted from 0.
        ids: int64, shape (n,): the images' rows in their data set.

    Returns:
        float64, shape (n, 8), in [0, 1): row i depends on nothing but (seed, epoch, ids[i]).

    Example:
        >>> first = draws(0, 3, np.array([5, 7]))
        >>> np.array_equal(first[1:], draws(0, 3, np.array([7])))
        True
    """
    table = np.random.Generator(np.random.Philox(key=[seed, epoch])).random((int(ids.max()) + 1, N_DRAWS))
    return table[ids]


def epoch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """Return the order in which an epoch visits n images: a permutation fixed by (seed, epoch)."""
    return np.random.Generator(np.random.Philox(key=[seed, epoch], counter=[0, 0, 0, 1])).permutation(n)


def augment(images: Tensor, uniform: Tensor | np.ndarray, policy: str) -> Tensor:
    """Return one random view of every image.

    Args:
        images: uint8, shape (n, height, width, 3).
        uniform: float64, shape (n, 8), from `draws`; of tensors on the images' device nothing has to be sent.
        policy: a name of `POLICIES`.

    Returns:
        uint8, shape (n, height, width, 3), on the images' device.

    Raises:
        InputError: the policy is unknown.
    """
    import torch

    view = find_named("augmentation", policy, POLICIES)
    return view(images, torch.as_tensor(uniform))


def _none(images: Tensor, uniform: Tensor) -> Tensor:
    return images


def _crop_flip(images: Tensor, uniform: Tensor) -> Tensor:
    """Shift by up to an eighth of the side over black borders and mirror half of the images."""
    import torch
    from torch.nn import functional

    n, height, width, _ = images.shape
    border = max(1, height // 8)
    padded = functional.pad(images, (0, 0, border, border, border, border))
    top, left = (uniform[:, :2] * (2 * border + 1)).to(torch.int64).unbind(dim=1)
    top, left, flipped = (one.to(images.device) for one in (top, left, uniform[:, 2] < 0.5))
    samples, rows, columns = (torch.arange(size, device=images.device) for size in (n, height, width))
    columns = torch.where(flipped[:, None], width - 1 - columns, columns) + left[:, None]
    rows = rows + top[:, None]
    return padded[samples[:, None, None], rows[:, :, None], columns[:, None, :]]


ROTATION, SCALE, SHEAR, SHIFT = 10.0, 0.1, 0.1, 0.1
"""Largest change of `affine`: degrees, share of the size, shear factor, share of the side."""


def _affine(images: Tensor, uniform: Tensor) -> Tensor:
    """Rotate, scale, shear and shift a little; nothing is mirrored, so digits stay what they are."""
    import torch
    from torch.nn import functional

    signed = (2 * uniform - 1).float().to(images.device)
    angle = signed[:, 0] * (ROTATION * np.pi / 180)
    scale_x, scale_y = 1 + SCALE * signed[:, 1], 1 + SCALE * signed[:, 2]
    shear = SHEAR * signed[:, 3]
    cos, sin = torch.cos(angle), torch.sin(angle)
    row_x = torch.stack([cos * scale_x, (shear * cos - sin) * scale_y, 2 * SHIFT * signed[:, 4]], dim=1)
    row_y = torch.stack([sin * scale_x, (shear * sin + cos) * scale_y, 2 * SHIFT * signed[:, 5]], dim=1)
    matrix = torch.stack([row_x, row_y], dim=1)
    pixels = images.permute(0, 3, 1, 2).float()
    grid = functional.affine_grid(matrix, list(pixels.shape), align_corners=False)
    moved = functional.grid_sample(pixels, grid, mode="bicubic", padding_mode="zeros", align_corners=False)
    return moved.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


SMALLEST_AREA, NARROWEST = 0.08, 3 / 4
"""Least share of an image that `resized-crop` shows; least ratio of its sides, beside that of the image's."""
RESIZED_CROP = "resized-crop"
"""The policy whose views have no margin; see `pursuhint.preprocess.Preprocess.filled`."""


def _resized_crop(images: Tensor, uniform: Tensor) -> Tensor:
    """Stretch a random part to the whole image and mirror half of them.

    Areas and ratios are those of Szegedy et al. (arXiv 1409.4842) and of torchvision's `RandomResizedCrop`,
    which draws anew when a part does not fit: here the ratio is drawn among those that fit the area, and an
    image that is not square stays in its shape, so that none is stretched more than a square one.
    """
    import torch
    from torch.nn import functional

    draw = uniform.float().to(images.device)
    area = SMALLEST_AREA + (1 - SMALLEST_AREA) * draw[:, 0]
    lowest, highest = area.clamp(min=NARROWEST), (1 / area).clamp(max=1 / NARROWEST)
    ratio = lowest * (highest / lowest) ** draw[:, 1]
    across, down = ((area * part).sqrt().clamp(max=1) for part in (ratio, 1 / ratio))
    right, below = (1 - across) * (2 * draw[:, 2] - 1), (1 - down) * (2 * draw[:, 3] - 1)
    flipped, zero = torch.where(draw[:, 4] < 0.5, -1.0, 1.0), torch.zeros_like(area)
    row_x, row_y = torch.stack([across * flipped, zero, right], 1), torch.stack([zero, down, below], 1)
    pixels = images.permute(0, 3, 1, 2).float()
    grid = functional.affine_grid(torch.stack([row_x, row_y], 1), list(pixels.shape), align_corners=False)
    moved = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    return moved.round().to(torch.uint8).permute(0, 2, 3, 1)


POLICIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "none": _none,
    "crop-flip": _crop_flip,
    "affine": _affine,
    RESIZED_CROP: _resized_crop,
}
