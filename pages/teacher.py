"""Which network is to be imitated, and can it be trusted?"""

import pandas as pd
import streamlit as st

from app import current, downloads, failures, pictures, teachers
from app.chrome import card, count, header, metric, percent, shape, short
from app.explain import explain
from app.words import plain, prose
from pursuhint.analysis import AnalysisFolder


def draw_analysis(analysis: AnalysisFolder) -> None:
    about, score = analysis.card, analysis.test_score
    actions = header(
        "Teacher",
        plain(f"{short(about.teacher.spec)}, trained on {about.data} · weights {about.teacher.hash}"),
    )
    actions.page_link("../pages/similarity.py", label="How alike its layers are")
    if actions.button("Choose hint points →", type="primary"):
        st.switch_page("../pages/hint_points.py")
    with st.grid(4, min_column_width=140):
        tested = f"of {score['n']:,} test images" if score else "not measured yet"
        metric("test accuracy", percent(score["accuracy"] if score else None), tested)
        metric("parameters", count(about.parameters), f"{about.parameters:,}")
        stages = analysis.layers[-1].stage + 1
        metric("candidate layers", str(len(analysis.layers)), f"in {stages} stages of one shape each")
        metric(
            "probe images", f"{about.samples:,}", f"{percent(about.seen_accuracy)} right, seen in training"
        )


def draw_layers(analysis: AnalysisFolder) -> None:
    rows = pd.DataFrame(
        {
            "layer": [layer.name for layer in analysis.layers],
            "type": [layer.type for layer in analysis.layers],
            "output shape": [shape(layer.shape) for layer in analysis.layers],
            "stage": [layer.stage + 1 for layer in analysis.layers],
            "parameters": [layer.parameters for layer in analysis.layers],
        }
    )
    most = max(1, int(rows["parameters"].max()))
    bar = st.column_config.ProgressColumn(format="localized", min_value=0, max_value=most)
    st.dataframe(
        rows, hide_index=True, height=390 if len(rows) > 10 else "content", column_config={"parameters": bar}
    )
    st.caption(prose(analysis.card.note))
    downloads.offer("layers", f"{short(analysis.card.teacher.spec)}-layers", table=rows)


analysis = None
with st.container():  # parts that come and go, each in a place of its own: none moves another
    with failures.shown():
        analysis = current.analysis()
        if analysis:
            draw_analysis(analysis)
    if analysis is None:
        header("Teacher", "The trained network that a smaller one is to imitate. Choose one to begin.")
with st.container():
    teachers.watch()
left, right = st.columns([5, 3])
with left, failures.shown():
    if analysis:
        with card("Candidate layers", "in the order in which an image passes them"):
            draw_layers(analysis)
            explain("candidate layers")
        with card("Probe images", "and what the teacher takes them for", fill=True):
            pictures.answers(analysis)
            explain("probe accuracy")
with right, card("Another teacher" if analysis else "A teacher", fill=True):
    teachers.another()
