"""Which layers shall the student imitate?"""

import streamlit as st

from app import cached, confidence, controls, current, downloads, maps, overrides, state
from app.chrome import card, dark, draw, header, require_teacher, several, short
from pursuhint.figures import dendrogram, layer_map
from pursuhint.origin import origin

analysis = require_teacher("Hint points")
mine, name = state.get(), short(analysis.card.teacher.spec)
seen = mine.choice.samples or analysis.card.samples
caption = f"{len(analysis.layers)} candidate layers of {name}, grouped by how alike {seen:,} images make them"
actions = header("Hint points", caption)
with st.container(horizontal=True, gap="medium"):
    controls.metric("hints", analysis)
    controls.method("hints")
    controls.clusters(
        "hints", len(cached.similarity(analysis, mine.choice.metric, mine.choice.samples).layers)
    )

plan = current.plan(analysis)
view = current.view(analysis, plan)
with actions:
    with st.popover("Open plan"):
        upload = f"hints-upload-{mine.revision}"
        st.file_uploader(
            "A plan as JSON", type=["json"], key=upload, on_change=overrides.opened, args=(upload,)
        )
    downloads.plan(plan)
    automatic = not plan.overrides and mine.choice not in mine.edited
    st.button("Back to automatic", on_click=mine.forget_edits, disabled=automatic)
    if st.button("Use in Distill →", type="primary"):
        st.switch_page("../pages/distill.py")

with card("Hint points", origin(plan)):
    maps.legend(view)  # above the columns: a phone shows these one below the other
left, right = st.columns([3, 2])
with left:
    with card("Dendrogram", "click a layer to make it a hint point, or none"):
        key, alt = "hints-dendrogram", "Tree of the layers"
        draw(dendrogram(view, dark=dark()), key, alt, **overrides.on_click(key))
    with card("How sure?", "what stays when a fifth of the images is left out"):
        confidence.stability(analysis, plan, view)
    with card(
        "By table", f"{several(len(plan.hint_points), 'hint point')} of {len(plan.layers)} layers", fill=True
    ):
        overrides.table(analysis, plan, view)
with right:
    with card("Silhouette over K", "click a bar to take that K"):
        controls.silhouettes(analysis)
    with card("Coverage", "how well as many hint points stand for all layers"):
        confidence.coverage(analysis, plan, view)
    with card("Layer map", "click a layer here, too"):
        positions = maps.layer_positions(analysis, plan.metric)
        placed = view if positions is None else current.view(analysis, plan, positions=positions)
        figure = layer_map(placed, dark=dark()).update_layout(margin={"l": 56, "r": 56})  # for the names
        draw(figure, "hints-map", "Map of the layers", **overrides.on_click("hints-map"))
    with card("Images at a layer", "each dot a probe image, coloured by class", fill=True):
        maps.images(analysis, plan.hint_points)
