"""An activation map laid over its image."""

from __future__ import annotations

import numpy as np
from PIL import Image
from plotly.colors import sequential

SIDE = 256
"""Pixels that the picture has along its longer side at least."""
SCALE = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in sequential.Magma])
COVER = 0.75
"""How much of the picture is the map, the rest the image in grey."""


def heat_over(image: np.ndarray, activation: np.ndarray) -> np.ndarray:
    """Lay an activation map over an image: dark where the layer is still, bright where it responds.

    Args:
        image: uint8, shape (height, width, 3).
        activation: (h, w), at least 0; smoothly enlarged over the whole image. The largest value is the
            brightest colour of Magma, which grows brighter evenly to every kind of colour vision.

    Returns:
        uint8, the image enlarged by a whole number to 256 pixels or more.
    """
    times = -(-SIDE // max(image.shape[:2]))
    grey = np.repeat(np.repeat(image.mean(axis=2), times, axis=0), times, axis=1)
    size = (grey.shape[1], grey.shape[0])
    values = np.asarray(
        Image.fromarray(activation.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    )
    shares = values / values.max() if values.max() > 0 else values
    at = np.linspace(0, 1, len(SCALE))
    colours = np.stack([np.interp(shares, at, channel) for channel in SCALE.T], axis=-1)
    return (COVER * colours + (1 - COVER) * grey[..., None]).round().astype(np.uint8)
