"""What a drawing of the probe images through the layers shows, worked out once."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pursuhint.errors import InputError
from pursuhint.view import COLOURS

STEPS = 65535
"""Places along a side of the box that the browser can tell apart: two bytes each."""


@dataclass(frozen=True, eq=False)
class ImageView:
    """Probe images as they are to be drawn.

    Attributes:
        layers: L names in depth order.
        positions: (L, n, 2) in 0..1, in one square box for all layers, the second coordinate upwards.
        labels: (n,) class numbers.
        answers: (n,) what the teacher takes each image for.
        classes: names of the classes.
        colours: one a class; empty for more classes than there are colours that can be told apart.
    """

    layers: tuple[str, ...]
    positions: np.ndarray
    labels: np.ndarray
    answers: np.ndarray
    classes: tuple[str, ...]
    colours: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a script; positions as little-endian uint16 in base64, layer by layer."""
        places = (self.positions * STEPS).round().astype("<u2").tobytes()
        return {
            "layers": list(self.layers),
            "places": base64.b64encode(places).decode(),
            "labels": self.labels.tolist(),
            "answers": self.answers.tolist(),
            "classes": list(self.classes),
            "colours": list(self.colours),
        }


def image_view(
    layers: Sequence[str],
    maps: Sequence[np.ndarray],
    labels: np.ndarray,
    answers: np.ndarray,
    classes: Sequence[str],
) -> ImageView:
    """Put the maps of all layers into one box, so that a way on the screen means the same at every layer.

    Args:
        layers: L names in depth order.
        maps: L maps of the same n images, (n, 2).
        labels: (n,) class numbers.
        answers: (n,) what the teacher takes each image for.
        classes: names of the classes.

    Raises:
        InputError: maps, labels and answers are not of the same images.

    Example:
        >>> view = image_view(["a"], [np.array([[0.0, 0], [4, 2]])], np.array([0, 1]), np.array([0, 0]), "xy")
        >>> view.positions[0].tolist(), view.colours
        ([[0.0, 0.25], [1.0, 0.75]], ('#3b6fd4', '#e07b39'))
    """
    shapes = {np.shape(one) for one in maps} | {(len(labels), 2), (len(answers), 2)}
    if len(maps) != len(layers) or len(shapes) != 1:
        found = ", ".join(map(str, sorted(shapes)))
        raise InputError(
            f"{len(layers)} layers need as many maps of the same images as their labels and answers: found "
            f"{len(maps)} maps and the shapes {found}; take all of one analysis"
        )
    stacked = np.stack([np.asarray(one, dtype=np.float64) for one in maps])
    low, high = stacked.min(axis=(0, 1)), stacked.max(axis=(0, 1))
    positions = (stacked - (low + high) / 2) / (np.max(high - low) or 1.0) + 0.5
    colours = tuple(COLOURS.values())[: len(classes)] if len(classes) <= len(COLOURS) else ()
    return ImageView(tuple(layers), positions, labels, answers, tuple(classes), colours)


def sheet(images: np.ndarray) -> np.ndarray:
    """Lay small pictures out as one, a square number of places row by row; the last ones stay black.

    Args:
        images: uint8, shape (n, height, width, 3).

    Example:
        >>> sheet(np.zeros((5, 8, 10, 3), np.uint8)).shape
        (24, 30, 3)
    """
    n, height, width, _ = images.shape
    side = int(np.ceil(np.sqrt(n)))
    places = np.zeros((side * side, height, width, 3), np.uint8)
    places[:n] = images
    rows = places.reshape(side, side, height, width, 3).swapaxes(1, 2)
    return rows.reshape(side * height, side * width, 3)
