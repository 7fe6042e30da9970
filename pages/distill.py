"""Train a student on the hint points."""

import streamlit as st

from app import current, failures, launch, losses, more, pairs, start, state, students
from app.chrome import card, header, require_teacher, short
from app.explain import explain
from app.words import plain
from pursuhint.origin import origin

analysis = require_teacher("Distill")
mine, plan = state.get(), current.plan(analysis)
actions = header(
    "Distill",
    plain(f"{short(plan.teacher.spec)} teaches at {', '.join(plan.hint_points)} ({origin(plan)})"),
)
actions.page_link("../pages/hint_points.py", label="Change hint points")

student, joined = None, ()
weak = analysis.analysis_settings.allow_weak_teacher
left, right = st.columns([3, 2])
with left:
    with card("Student"), failures.shown():
        student = students.choose(analysis, plan)
        explain("compression")
    with card("Losses", fill=student is None or mine.recipe.hint_loss == "none"):
        losses.draw()
        objective = st.container()
        explain("objective", *losses.chosen())
    if student and mine.recipe.hint_loss != "none":
        with card("Pairs", "what each hint point is imitated by", fill=True):
            joined = pairs.draw(analysis, plan, student)
            explain("pairs")
with right:
    with card("Training", students.pace(mine.recipe)):
        students.training()
        with failures.shown():
            more.draw(analysis, student, joined)
        explain("learning rate")
    with card("Start", students.summary(student) if student else "", fill=True), failures.shown():
        wanted = None
        with failures.shown():
            if student and joined is not None:
                wanted = launch.settings(mine.recipe, plan, student, joined, allow_weak_teacher=weak)
        start.draw(wanted, plan)
        explain("dry run")
with objective:
    losses.objective(start.tried(wanted), len(joined or ()))
