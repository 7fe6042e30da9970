"""The probe images as one layer sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pursuhint.errors import InputError
from pursuhint.figures.theme import finish, hide_axes, theme_of
from pursuhint.view import COLOURS


def image_map(
    positions: np.ndarray, classes: Sequence[str | int] | None = None, *, dark: bool = False
) -> go.Figure:
    """Draw the probe images as points, coloured by class.

    Up to ten classes have their own colours and a legend; of more, the names show on pointing at an image.

    Args:
        positions: (N, 2), from `pursuhint.embedding.map_images`.
        classes: N class names; None: one colour.
        dark: for a dark page.

    Raises:
        InputError: positions of another shape, or not one class an image.
    """
    positions = np.asarray(positions)
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise InputError(
            f"`positions` must have the shape (images, 2): found {positions.shape}; use `map_images`"
        )
    names = [""] * len(positions) if classes is None else list(classes)
    if len(names) != len(positions):
        raise InputError(
            f"`classes` must name the class of each of the {len(positions)} images: found {len(names)}; "
            "take both from the same analysis"
        )
    theme, palette = theme_of(dark), list(COLOURS.values())
    known = sorted(set(names))
    few = len(known) <= len(palette)
    figure = go.Figure()
    for number, name in enumerate(known):
        mine = [index for index, other in enumerate(names) if other == name]
        figure.add_scatter(
            x=positions[mine, 0],
            y=positions[mine, 1],
            mode="markers",
            name=str(name),
            showlegend=few and len(known) > 1,
            customdata=[[index, name] for index in mine],
            hovertemplate="image %{customdata[0]}"
            + (f" · {name}" if classes is not None else "")
            + "<extra></extra>",
            marker={"size": 5, "opacity": 0.8, "color": palette[number % len(palette)]},
        )
    figure.update_layout(legend={"orientation": "h", "y": -0.02, "yanchor": "top", "itemsizing": "constant"})
    hide_axes(figure)
    return finish(figure, theme, height=420)
