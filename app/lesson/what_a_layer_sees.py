"""Step 1: an image is a point in a layer's space."""

from __future__ import annotations

import streamlit as st

from app import cached
from app.chrome import dark, draw
from app.lesson.step import Answer, Question, Step, caption, control
from pursuhint.analysis import AnalysisFolder
from pursuhint.errors import PursuhintError

ALMOST_ALWAYS = 0.99
OPTIONS = ("In the first stage, blocks 1.0 to 1.8", "In the second stage", "Only in the third stage")


def figure(analysis: AnalysisFolder) -> None:
    """Draw the images as one layer places them."""
    names = [layer.name for layer in analysis.layers]
    layer, tie = control("layer", names[0])
    st.select_slider("Layer, from the first to the last", names, **tie)
    alt = f"Map of the probe images at {layer}, coloured by digit"
    picture = cached.image_map(analysis, layer, dark=dark())
    if picture is None:
        raise PursuhintError(
            f"the map of the images at `{layer}`, which comes with PURSUhInT, is missing or damaged; install "
            "it again"
        )
    draw(picture, "lesson-images", alt)
    width = next(one for one in analysis.layers if one.name == layer).shape[0]
    caption(
        f"Each dot is one of {analysis.mapped:,} images at **{layer}**: {width} numbers, drawn flat by UMAP."
    )


def answer(analysis: AnalysisFolder) -> Answer:
    """Return where neighbours show the same digit."""
    shares = cached.class_neighbours(analysis)
    first = next(layer for layer in analysis.layers if shares[layer.name] >= ALMOST_ALWAYS)
    names = [layer.name for layer in analysis.layers]
    ends = ", ".join(f"{100 * shares[names[at]]:.1f} % at {names[at]}" for at in (0, len(names) // 2, -1))
    return Answer(
        OPTIONS[first.stage],
        f"The nearest image shows the same digit for {ends}; 99 % are passed at **{first.name}**. By chance "
        "it would be 10 %. The first blocks see strokes, which different digits share; block by block the "
        "network moves images of one class together, until the last blocks see little but the class.",
    )


STEP = Step(
    title="What a layer sees",
    text=(
        "A small picture of a digit passes through the 27 blocks of this network one after the other. "
        "The network is called the *teacher*, because later a smaller one will learn from it. Each block "
        "turns the picture into 16, 32 or 64 filtered pictures, its *channels*; the mean of each channel "
        "makes a row of as many numbers. So to a layer, an image is a point, and images that are near "
        "each other are alike *for this layer*.\n\nMove through the depth. The colours are the true "
        "digits, which the layers are never shown here."
    ),
    figure=figure,
    question=Question(
        "Take an image and the image nearest to it at a layer. From where on do both show the same digit in "
        "at least 99 of 100 cases?",
        OPTIONS,
    ),
    answer=answer,
    explained=("image map",),
)
