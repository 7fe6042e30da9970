"""Step 2: similarity needs enough images to mean anything."""

from __future__ import annotations

import streamlit as st

from app import cached
from app.chrome import dark, draw
from app.lesson.step import Answer, Question, Step, caption, control
from pursuhint.analysis import AnalysisFolder
from pursuhint.figures import image_count_curves
from pursuhint.similarity import METRICS

FIRST, SECOND = "layer2.4", "layer3.4"
COUNTS = (100, 150, 200, 300, 500, 1000)
COMPARED = ("r2_cca", "cka_linear")


def figure(analysis: AnalysisFolder) -> None:
    """Draw what two metrics say of two layers on fewer and fewer images."""
    count, tie = control("images", COUNTS[-1])
    st.select_slider("Images that both layers see", COUNTS, **tie)
    found = [cached.by_images(analysis, FIRST, SECOND, metric, COUNTS) for metric in COMPARED]
    alt = "Similarity of two layers over the number of images, real and shuffled"
    draw(image_count_curves(found, fewest=count, dark=dark()), "lesson-counts", alt)
    caption(
        f"**{FIRST}** (32 numbers an image) and **{SECOND}** (64). Dotted: each image of the one layer "
        "meets a random image of the other, so there is nothing left to find."
    )


def answer(analysis: AnalysisFolder) -> Answer:
    """Return what chance alone scores on the fewest images."""
    fewest = COUNTS[0]
    r2, cka = (cached.by_images(analysis, FIRST, SECOND, metric, COUNTS) for metric in COMPARED)
    worst = METRICS["r2_cca"].floor(32, 64, fewest)
    return Answer(
        r2.shuffled[0],
        f"On {fewest} images, weighted sums of 64 numbers can hit almost anything: by chance about 64 / "
        f"{fewest} = {worst:.2f}. So of the {r2.real[0]:.2f} that the real pair scores there, most is luck. "
        f"Linear CKA gives the shuffled pair {cka.shuffled[0]:.2f}. This is why this app counts the images "
        "for each feature, and warns about R²-CCA below 10.",
    )


STEP = Step(
    title="What similarity measures",
    text=(
        "Are two layers doing the same work? Show both the same images and see whether their numbers agree. "
        "*R²-CCA* asks which share of one layer's directions can be written as weighted sums of the other's "
        "numbers; turning, mixing or stretching them changes nothing. *Linear CKA* asks whether both layers "
        "find the same images alike, and the strong directions count most. For both, 1 means the same and 0 "
        "nothing in common.\n\nBoth need enough images. Take some away and watch what happens to layers that "
        "have nothing to do with each other."
    ),
    figure=figure,
    question=Question("Before you look: what does R²-CCA say of the shuffled pair on 100 images?"),
    answer=answer,
    explained=("r2_cca", "cka_linear"),
)
