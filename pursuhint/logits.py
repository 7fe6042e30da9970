"""What a classifier says of images: one row of logits for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pursuhint.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def require_logits(output: Any, images: int) -> Tensor:
    """Return a network's output when it is logits.

    Args:
        output: of the network.
        images: that it was given.

    Returns:
        The output, shape (images, classes).

    Raises:
        InputError: it is something else, such as a tuple with the logits of auxiliary heads.

    Example:
        >>> import torch
        >>> require_logits(torch.zeros(2, 10), 2).shape
        torch.Size([2, 10])
    """
    import torch

    if not isinstance(output, torch.Tensor):
        found = f"`{type(output).__name__}`"
    elif output.ndim != 2 or len(output) != images:
        found = f"a tensor of shape {tuple(output.shape)} for {images} images"
    else:
        return output
    raise InputError(
        f"a classifier gives one row of logits for each image; this network gives {found} (networks with "
        "auxiliary heads do while they train); choose another network"
    )
