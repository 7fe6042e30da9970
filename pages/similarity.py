"""How alike is every pair of the teacher's layers?"""

import streamlit as st

from app import controls, matrices, state, taught
from app.bound import bound
from app.chrome import header, require_teacher, short
from app.words import plain

VIEWS = {"one": "one matrix", "two": "two side by side", "student": "teacher and student"}

analysis = require_teacher("Similarity")
mine, name = state.get(), short(analysis.card.teacher.spec)
header("Similarity", f"Every pair of the {len(analysis.layers)} candidate layers of {plain(name)}")
tie = bound("similarity-show", mine.beside.show, lambda show: mine.compare(show=show))
show = st.segmented_control(
    "Show", list(VIEWS), format_func=VIEWS.get, required=True, label_visibility="collapsed", **tie
)
with st.container(horizontal=True, gap="medium"):
    controls.metric("similarity", analysis)
    if show != "student":
        controls.samples("similarity", analysis)
        tie = bound("similarity-order", mine.beside.order, lambda order: mine.compare(order=order))
        st.segmented_control("Order", ["depth", "dendrogram"], required=True, **tie)
if show == "student":
    taught.student(analysis)
elif show == "two":
    matrices.two(analysis, mine.beside.order)
else:
    matrices.one(analysis, mine.beside.order)
