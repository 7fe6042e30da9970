"""Step 6: differences between choices are small, and one training proves nothing."""

from __future__ import annotations

import streamlit as st

from app import cached
from app.chrome import dark, draw, several
from app.lesson.step import Answer, Question, Step, caption, control
from pursuhint.analysis import AnalysisFolder
from pursuhint.figures import gain_intervals
from pursuhint.lesson import gain_limits, gains

TITLES = {
    "labels": "labels only",
    "automatic": "cluster centres",
    "coverage": "best coverage",
    "stage_ends": "stage ends",
    "uniform": "uniform in depth",
    "random": "random layers",
    "first": "the first three",
    "last": "the last three",
}
REFERENCE = "no hints"
OPTIONS = ("None of them", "Some of them", "All of them")


def figure(_analysis: AnalysisFolder) -> None:
    """Draw how far each choice of hint points is ahead of none."""
    trainings = cached.trainings()
    seeds, tie = control("seeds", 1)
    st.slider("Trainings of each, with other random numbers", 1, trainings.seeds, **tie)
    found = gains(trainings, seeds=seeds)
    alt = "Test accuracy of each choice of hint points ahead of none"
    look = {"limits": gain_limits(gains(trainings, seeds=trainings.seeds)), "dark": dark()}
    draw(gain_intervals(found, TITLES, reference=REFERENCE, **look), "lesson-gains", alt)
    caption(
        "Dots: single trainings. Diamond: their mean with its 95 % interval; green or orange where the "
        f"interval leaves out zero. One of {trainings.test_images} test images is "
        f"{100 / trainings.test_images:.1f} points."
    )


def answer(_analysis: AnalysisFolder) -> Answer:
    """Return which choices are clearly ahead."""
    trainings = cached.trainings()
    labels, *hints = gains(trainings, seeds=trainings.seeds)
    ahead = [TITLES[gain.arm] for gain in hints if gain.clear and gain.mean > 0]
    behind = [TITLES[gain.arm] for gain in hints if gain.clear and gain.mean < 0]
    place = 0 if not ahead else 2 if len(ahead) == len(hints) else 1
    means = [100 * gain.mean for gain in hints]
    clear = f"Clearly ahead: {', '.join(ahead)}. " if ahead else ""
    clear += f"Clearly behind: {', '.join(behind)}. " if behind else ""
    if labels.clear and labels.mean < 0:
        clear += f"What is clear: without a teacher, labels alone end {-100 * labels.mean:.1f} points lower. "
    return Answer(
        OPTIONS[place],
        f"{clear}With {several(trainings.seeds, 'training')} of each, the means lie between "
        f"{_signed(min(means))} and {_signed(max(means))} points of the teacher's answers alone. These "
        "digits are easy, so there is little left to gain, and luck moves a single training further than "
        "the place of its hints does. The intervals know of the random numbers only, not of the choice of "
        "test images, and seven of them give luck seven chances. Where it counts, measure it: against no "
        "hints, with the same budget and several seeds.",
    )


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−")


STEP = Step(
    title="Does it matter?",
    text=(
        "Now the question that every such method has to answer. The same small student was trained with "
        "hint points at many places: the cluster centres, the choice of best coverage, the ends of the "
        "stages, random layers and more. Each is compared with a student that hears the teacher's "
        "answers and gets no hints, started from the same random numbers.\n\nBegin with a single "
        "training of each. Pick a winner. Then add more trainings and see whether it stays one."
    ),
    figure=figure,
    question=Question(
        "With all trainings counted, how many of the seven choices of hint points are clearly ahead of no "
        "hints?",
        OPTIONS,
    ),
    answer=answer,
    explained=("interval",),
)
