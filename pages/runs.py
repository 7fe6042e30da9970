"""What was trained, and what is training now."""

import streamlit as st

from app import cached
from app.chrome import header
from app.explain import explain
from app.runs import charts, choice, live, student_card, table

runs = cached.runs().runs()
if not runs:
    header("Runs", "Distillations, live and finished")
    with st.container(border=True):
        st.markdown("**No runs yet.**")
        st.caption("Start a distillation; its curves appear here and go on when you close this tab.")
        st.page_link("../pages/distill.py", label="Go to Distill →")
    st.stop()

chosen = choice.chosen(runs[0])
with st.container():  # parts that come and go, each in a place of its own: none moves another
    live.draw(chosen)
    explain("curves")
with st.container():
    charts.differences(chosen)
with st.container():
    student_card.draw(chosen[0])
table.draw()
explain("runs")
st.caption(f"On disk: {cached.disk()}", help="`pursuhint runs gc` and `pursuhint cache clear` free some.")
