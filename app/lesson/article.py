"""The lesson on the page: one column like an article, one step at a time."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import failures, state
from app.bound import bound
from app.explain import explain
from app.lesson import (
    does_it_matter,
    what_a_layer_sees,
    what_hints_do,
    what_similarity_measures,
    why_layers_group,
    why_the_centre,
    your_turn,
)
from app.lesson.reading import STEPS, step_named
from app.lesson.step import Question, Step
from pursuhint.analysis import AnalysisFolder

MODULES = (
    what_a_layer_sees,
    what_similarity_measures,
    why_layers_group,
    why_the_centre,
    what_hints_do,
    does_it_matter,
    your_turn,
)
LESSON: tuple[Step, ...] = tuple(module.STEP for module in MODULES)
PARAMETER = "step"
"""In the address: the step that is read."""
COLUMN = 660
"""Width of the article in pixels: about 80 letters a line."""
LOOK = """<style>
.st-key-lesson p {{font-size: 1.08rem; line-height: 1.7}}
.st-key-lesson h1 {{font-size: 2.1rem; padding-bottom: 0.2rem}}
.st-key-lesson-caption p {{font-size: 0.92rem; line-height: 1.5}}
.st-key-lesson [class*=st-key-explain-] p {{font-size: 0.95rem; line-height: 1.55}}
.st-key-lesson-question {{border-top: 1px solid {border}; padding-top: 1.1rem; margin-top: 0.4rem}}
.st-key-lesson-answer {{border-left: 3px solid {accent}; padding-left: 1.1rem}}
.st-key-lesson-hints [role=toolbar] {{display: grid; grid-template-columns: repeat(9, 1fr); gap: 0.3rem}}
.st-key-lesson-hints button {{padding-inline: 0; min-width: 0; width: 100%}}
</style>"""
TO_THE_TOP = """<script>
// step {step}: a new step begins at its beginning
document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
</script>"""


def follow_address() -> None:
    """Turn to the step that the address names, and keep the address true.

    Raises:
        InputError: it names none; the step that was read last is shown.
    """
    mine, named = state.get(), st.query_params.get(PARAMETER)
    try:
        if named is not None:
            mine.read(mine.lesson.turned(step_named(named)))
    finally:
        st.query_params[PARAMETER] = str(mine.lesson.step)


def draw(analysis: AnalysisFolder) -> None:
    """Draw the step that is read."""
    reading = state.get().lesson
    step = LESSON[reading.step - 1]
    theme = f"theme.{st.context.theme.type or 'light'}"
    look = {"border": st.get_option(f"{theme}.borderColor"), "accent": st.get_option(f"{theme}.primaryColor")}
    st.html(LOOK.format(**look))
    st.html(TO_THE_TOP.format(step=reading.step), unsafe_allow_javascript=True)
    with st.container(horizontal_alignment="center"), st.container(key="lesson", width=COLUMN, gap="medium"):
        _progress()
        st.title(step.title, anchor=False)
        st.markdown(step.text)
        # each part has a place of its own, so that none moves another when it comes or goes
        body, answer, after, ways = (st.container(gap="medium") for _ in range(4))
    with body, failures.shown():
        step.figure(analysis)
        explain(*step.explained)
        _question(step.question)
        if reading.step in reading.revealed:
            with answer:
                _answer(step, analysis)
    if step.after:
        with after, failures.shown():
            step.after(analysis)
    with ways:
        _turn()


def _progress() -> None:
    step = state.get().lesson.step
    with st.container(key="lesson-steps", gap="xsmall"):
        st.caption(f"Lesson · step {step} of {STEPS}")
        tie = bound("lesson-step", step, turn_to)
        st.segmented_control(
            "Step",
            range(1, STEPS + 1),
            format_func=_tab,
            required=True,
            width="stretch",
            label_visibility="collapsed",
            **tie,
        )


def _tab(step: int) -> str:
    """Write a step's number, with a tick once its answer was read."""
    return f"{step} ✓" if step in state.get().lesson.revealed else str(step)


def turn_to(step: int) -> None:
    """Turn to a step, and say so in the address."""
    mine = state.get()
    mine.read(mine.lesson.turned(step))
    st.query_params[PARAMETER] = str(mine.lesson.step)


def _question(question: Question) -> None:
    mine = state.get()
    step = mine.lesson.step
    tie = bound(f"lesson-guess-{step}", mine.lesson.guesses.get(step), _guess)
    with st.container(key="lesson-question", gap="small"):
        st.markdown(f"**{question.words}**")
        hidden: dict[str, Any] = {"label_visibility": "collapsed"}
        if question.options:
            st.radio(question.words, question.options, index=None, **hidden, **tie)
        else:
            limits = {"min_value": 0.0, "max_value": 1.0, "step": 0.05, "value": None, "width": 200}
            st.number_input(question.words, placeholder="0 to 1", **limits, **hidden, **tie)
        if step not in mine.lesson.revealed:
            st.button("Show the answer", key="lesson-reveal", on_click=_reveal)


def _guess(guess: Any) -> None:
    mine = state.get()
    mine.read(mine.lesson.guessed(guess))


def _reveal() -> None:
    mine = state.get()
    mine.read(mine.lesson.looked_up())


def _answer(step: Step, analysis: AnalysisFolder) -> None:
    reading = state.get().lesson
    answer, guess = step.answer(analysis), reading.guesses.get(reading.step)
    said = answer.right if isinstance(answer.right, str) else f"{answer.right:.2f}"
    verdict = "" if guess is None else "Right. " if answer.fits(guess) else "Not quite. "
    with st.container(key="lesson-answer"):
        st.markdown(f"**{verdict}{said}{'' if said.endswith('.') else '.'}** {answer.why}")


def _turn() -> None:
    step = state.get().lesson.step
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if step > 1:
            st.button(f"← {LESSON[step - 2].title}", key="lesson-back", on_click=turn_to, args=(step - 1,))
        if step < STEPS:
            label = f"{LESSON[step].title} →"
            st.button(label, key="lesson-next", type="primary", on_click=turn_to, args=(step + 1,))
