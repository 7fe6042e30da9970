"""What was trained, and what is training now."""

import streamlit as st

from app import runs_view
from app.chrome import header
from app.explain import explain
from pursuhint.runs import list_runs

runs = list_runs()
if not runs:
    header("Runs", "Distillations, live and finished")
    with st.container(border=True):
        st.markdown("**No runs yet.**")
        st.caption("Start a distillation; its curves appear here and go on when you close this tab.")
        st.page_link("../pages/distill.py", label="Go to Distill →")
    st.stop()

chosen = runs_view.choose(runs)
runs_view.one(chosen)
explain("curves")
runs_view.table(chosen)
explain("runs")
runs_view.log(chosen)
