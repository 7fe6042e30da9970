"""How alike is every pair of the teacher's layers?"""

import pandas as pd
import streamlit as st

from app import cached, controls, current, downloads, state
from app.chrome import card, dark, draw_square, header, require_teacher, short, table_height
from app.explain import explain
from pursuhint.figures import heatmap
from pursuhint.similarity import METRICS

STATUS = {"ok": "green", "few samples": "orange", "rank-deficient": "gray", "constant": "red"}

analysis = require_teacher("Similarity")
about = analysis.card
actions = header(
    "Similarity", f"Every pair of the {len(analysis.layers)} candidate layers of {short(about.teacher.spec)}"
)
with st.container(horizontal=True, gap="medium"):
    controls.metric("similarity", analysis)
    controls.samples("similarity", analysis)
    order = st.segmented_control(
        "Order", ["depth", "dendrogram"], default="depth", required=True, key="similarity-order"
    )

choice = state.get().choice
metric = choice.metric
matrix = cached.similarity(analysis, metric, choice.samples)
view = current.view(analysis, current.plan(analysis), order=order)
name = f"{short(about.teacher.spec)}-{metric}"
with actions:
    downloads.matrix(matrix, name)

left, right = st.columns([3, 2])
with (
    left,
    card(METRICS[metric].title, f"{matrix.samples:,} images, {matrix.pooling} pooling; hint points in bold"),
):
    alt = f"Heatmap of the {METRICS[metric].title} similarity of {len(matrix.layers)} layers"
    draw_square(heatmap(view, dark=dark()), "heatmap", alt)
    explain(metric, "matrix")
with right, card("Layer by layer", fill=True):
    st.caption(f"{METRICS[metric].title} is blind to: {', '.join(sorted(METRICS[metric].invariances))}.")
    notes = pd.DataFrame(
        {
            "layer": list(matrix.notes),
            "status": [[note.status] for note in matrix.notes.values()],
            "width": [note.width for note in matrix.notes.values()],
            "rank": [note.effective_rank for note in matrix.notes.values()],
            "images / width": [note.samples_per_feature for note in matrix.notes.values()],
            "note": [note.text for note in matrix.notes.values()],
        }
    )
    columns = {
        "status": st.column_config.MultiselectColumn(options=list(STATUS), color=list(STATUS.values())),
        "rank": st.column_config.NumberColumn(help="Directions in which the features vary."),
        "images / width": st.column_config.NumberColumn(
            format="%.1f", help="Below 10, CCA and regression read too high."
        ),
    }
    st.dataframe(notes, hide_index=True, height=table_height(len(notes)), column_config=columns)
    explain("layer notes")
