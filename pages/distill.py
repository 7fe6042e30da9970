"""Train a student on the hint points."""

import streamlit as st

from app import current, failures, launch, losses, more, state, students
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

student, pairs = None, ()
weak = analysis.analysis_settings.allow_weak_teacher
left, right = st.columns([3, 2])
with left:
    with card("Student"), failures.shown():
        student = students.choose(analysis, plan)
        explain("compression")
    with card("Losses", fill=student is None or mine.recipe.hint_loss == "none"):
        losses.draw()
        explain("objective", *losses.chosen())
    if student and mine.recipe.hint_loss != "none":
        with card("Pairs", "double-click a guided layer to change it", fill=True):
            pairs = students.pairs(analysis, plan, student)
            explain("pairs")
with right:
    with card("Training", students.pace(mine.recipe)):
        students.training()
        with failures.shown():
            more.draw(analysis, student, pairs)
        explain("learning rate")
    with card("Start", students.summary(student) if student else "", fill=True), failures.shown():
        st.caption("It runs in a process of its own: closing this tab or stopping the app leaves it running.")
        wanted = None
        if student and pairs is not None:
            wanted = launch.settings(mine.recipe, plan, student, pairs, allow_weak_teacher=weak)
        ticket, look = mine.ticket, {"type": "primary", "width": "stretch", "icon": ":material/play_arrow:"}
        if st.button("Start distillation", key=f"start-{ticket}", disabled=not wanted, **look):
            run = mine.launch(ticket, lambda: launch.start(wanted))
            st.switch_page("../pages/runs.py", query_params={"run": run})
        if wanted:
            with st.expander("The same from the command line", icon=":material/terminal:"):
                st.caption("Save the plan on the Hint points page as plan.json first.")
                st.code(launch.command(wanted), language="bash")
