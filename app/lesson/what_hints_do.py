"""Step 5: hints are one more pull on the student."""

from __future__ import annotations

import streamlit as st

from app import cached
from app.chrome import dark, draw, several
from app.lesson.step import Answer, Question, Step, caption, control
from pursuhint.analysis import AnalysisFolder
from pursuhint.figures import strength_curves

OPTIONS = ("It ends lower", "It ends about the same", "It ends higher")
SAME = 0.1
"""Relative change below which a loss ended about the same."""


def figure(_analysis: AnalysisFolder) -> None:
    """Draw the losses of students that felt hints of different strength."""
    trainings = cached.trainings()
    share, tie = control("share", trainings.shares[0])
    st.select_slider("How hard the hints pull, the labels pulling with 1", trainings.shares, **tie)
    draw(strength_curves(trainings, share=share, dark=dark()), "lesson-strength", "Losses over the epochs")
    seeds = len(trainings.of_share(share))
    caption(
        f"Mean of {several(seeds, 'real training')} for each strength; grey: the other strengths. Test "
        f"accuracy at this one: **{100 * trainings.accuracy(share):.1f} %**."
    )


def answer(_analysis: AnalysisFolder) -> Answer:
    """Return what strong hints do to the loss on the labels."""
    trainings = cached.trainings()
    usual, strongest = trainings.share, trainings.shares[-1]
    before, after = trainings.last(usual, "cls"), trainings.last(strongest, "cls")
    change = after / before - 1
    place = 1 if abs(change) < SAME else 2 if change > 0 else 0
    weak, strong = (trainings.last(share, "hint") for share in (trainings.shares[0], strongest))
    return Answer(
        OPTIONS[place],
        f"It goes from {before:.2f} to {after:.2f}, and the test accuracy from "
        f"{100 * trainings.accuracy(usual):.1f} to {100 * trainings.accuracy(strongest):.1f} %. The hints "
        f"get what they ask for: the distance to them falls from {weak:.3f} with almost no pull to "
        f"{strong:.3f}. A student this small has only so much room: what it spends on looking like the "
        "teacher inside, it cannot spend on the answers.",
    )


STEP = Step(
    title="What hints do to the loss",
    text=(
        "A student learns by making one number smaller, the *loss*. Here it has three parts: the "
        "mistakes on the labels, the distance to the teacher's answers, and the distance to the "
        "teacher's inner layers at the hint points. Each part pulls at the student's weights. The "
        "numbers before the parts decide how hard each pulls; this app sets them so that the pulls have "
        "a chosen proportion at the start.\n\nThese curves are real trainings of a student 170 times "
        "smaller than its teacher, with the hint points of step 3."
    ),
    figure=figure,
    question=Question(
        "Let the hints pull 16 times harder than usual: 8 in place of 0.5. What becomes of the loss on the "
        "labels?",
        OPTIONS,
    ),
    answer=answer,
    explained=("objective", "at"),
)
