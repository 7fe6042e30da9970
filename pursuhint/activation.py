"""Where in an image a layer responds."""

from __future__ import annotations

from torch import Tensor

from pursuhint.analysis.pooling import as_map


def activation_map(output: Tensor, *, prefix: int = 0) -> Tensor | None:
    """Return the mean over channels of the squared activations, place by place.

    Squares, because a strongly negative activation is a response too, and strong ones count for more; this is
    what attention transfer hands to a student.

    Args:
        output: maps (n, channels, height, width) or tokens (n, tokens, width), whose places are laid out as a
            square where their number is one, else as one row.
        prefix: tokens in front that stand for no place in the image, such as the class token.

    Returns:
        (n, height, width), at least 0; None for an output that knows no places.

    Source:
        Zagoruyko and Komodakis (2017), arXiv 1612.03928, section 3.1: the sum over channels to the power of
        2. Differs from the paper in the mean, so that layers of any width can be compared.

    Example:
        >>> import torch
        >>> activation_map(torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]]))
        tensor([[[5., 2.]]])
    """
    if output.ndim == 3:
        output = as_map(output[:, prefix:])
    return output.float().square().mean(dim=1) if output.ndim == 4 else None
