"""Where the names of points on a map stand, so that they hide neither points nor each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

RADIUS, RADIUS_NAMED = 5.5, 10.0
"""Of a point, and of one that has a name, in pixels."""
LETTER = (7.2, 14.0)
"""Width and height of a bold letter of 12 pixels."""
SCREEN = (180.0, 290.0)
"""Width and height of the map on a phone: what is free there is free on a wider screen."""
RIGHT = "middle right"
SIDES = {RIGHT: (1, 0), "middle left": (-1, 0), "top center": (0, 1), "bottom center": (0, -1)}
"""Plotly's names of the sides, the better first -> direction from the point."""
COST_OF_A_NAME = 3
"""Points that a name may hide before it is cut off, or hides another name: then both are lost."""


def name_sides(
    positions: np.ndarray,
    names: Mapping[int, str],
    *,
    screen: tuple[float, float] = SCREEN,
    margin: tuple[float, float] = (np.inf, np.inf),
) -> dict[int, str]:
    """Choose for each name a side of its point; the names are placed one after the other.

    Args:
        positions: (n, 2) of all points, in any unit that is the same both ways.
        names: index of a point -> its name.
        screen: width and height that the points take.
        margin: beside and above them, up to where names are cut off.

    Returns:
        Index of a point -> key of `SIDES` on which its name hides least, the right one if all are equal.

    Example:
        >>> name_sides(np.array([[0.0, 0.0], [0.0, 0.1], [9.0, 4.0]]), {0: "layer1.0", 1: "layer1.1"})
        {0: 'middle right', 1: 'middle left'}
    """
    extent = np.ptp(positions, axis=0)
    middle = positions.min(axis=0) + extent / 2
    points = (positions - middle) / ((extent / screen).max() or 1.0)
    edge = np.array(screen) / 2 + margin
    radius = np.full(len(points), RADIUS)
    radius[list(names)] = RADIUS_NAMED
    placed = np.empty((0, 4))
    sides = {}
    for point, name in names.items():
        half = np.array([LETTER[0] * len(name) / 2, LETTER[1] / 2])
        others = np.delete(np.column_stack([points, radius, radius]), point, axis=0)
        boxes = {
            side: np.concatenate([points[point] + np.array(direction) * (half + RADIUS_NAMED), half])
            for side, direction in SIDES.items()
        }
        cost = {
            side: _hits(others, box)
            + COST_OF_A_NAME * (_hits(placed, box) + bool((np.abs(box[:2]) + box[2:] > edge).any()))
            for side, box in boxes.items()
        }
        sides[point] = min(cost, key=cost.__getitem__)
        placed = np.vstack([placed, boxes[sides[point]]])
    return sides


def _hits(boxes: np.ndarray, box: np.ndarray) -> int:
    """Count the boxes (centre x, y, half of width, height) that a box overlaps."""
    return int((np.abs(boxes[:, :2] - box[:2]) < boxes[:, 2:] + box[2:]).all(axis=1).sum())
