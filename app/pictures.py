"""A row of small pictures as one element: six of Streamlit's own take six requests and six times as long."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from pursuhint.analysis import AnalysisFolder
from pursuhint.image_view import sheet

PICTURES = 6
EXACT = 16
"""Pixels along the longer side up to which a picture is kept as it is."""
ROW = """<style>
.pictures {{display: flex; flex-wrap: wrap; gap: 1rem}}
.pictures figure {{margin: 0; width: 80px; text-align: center; font-size: 0.85rem}}
.pictures img {{width: 80px; border-radius: 0.4rem}}
.pictures figcaption {{overflow: hidden; text-overflow: ellipsis; white-space: nowrap}}
.pictures .wrong {{color: {red}}}
</style><div class="pictures">{figures}</div>"""
FIGURE = (
    '<figure><img src="{address}" alt="">'
    '<figcaption title="{answer}" class="{judged}">{answer}</figcaption></figure>'
)


def answers(analysis: AnalysisFolder) -> None:
    """Draw a few probe images from all over with the teacher's answers, the wrong ones in red."""
    classes, labels, said = analysis.card.classes, analysis.probe["labels"], analysis.probe["predictions"]
    every = max(1, len(analysis.thumbnails) // PICTURES)
    figures = [
        FIGURE.format(
            address=address(analysis.thumbnails[index]),
            judged="right" if said[index] == labels[index] else "wrong",
            answer=escape(classes[said[index]]),
        )
        for index in range(0, len(analysis.thumbnails), every)[:PICTURES]
    ]
    red = st.get_option(f"theme.{st.context.theme.type or 'light'}.redColor")
    st.html(ROW.format(red=red, figures="".join(figures)))


def address(pixels: np.ndarray, kind: str = "PNG") -> str:
    """Write a picture, uint8 of shape (height, width, 3), as an address that holds it.

    Args:
        pixels: the picture.
        kind: ``PNG`` or ``JPEG``.

    Example:
        >>> address(np.zeros((8, 8, 3), np.uint8))[:26]
        'data:image/png;base64,iVBO'
    """
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, quality=85)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def sprite(thumbnails: np.ndarray) -> dict[str, Any]:
    """Put all small pictures into one address, as a script finds them: ``sheet``, ``tile`` and ``across``.

    Tiny ones stay exact; of larger ones two thousand would be megabytes, so they become a JPEG.
    """
    height, width = thumbnails.shape[1:3]
    whole = sheet(thumbnails)
    kind = "PNG" if max(height, width) <= EXACT else "JPEG"
    return {"sheet": address(whole, kind), "tile": [width, height], "across": whole.shape[1] // width}
