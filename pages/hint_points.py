"""Which layers shall the student imitate?"""

from functools import partial

import streamlit as st

from app import cached, confidence, controls, current, downloads, maps, overrides, plans, state
from app.chrome import card, dark, header, require_teacher, several, short
from app.explain import explain
from app.explorer.explorer import KEY, explore
from app.words import plain
from pursuhint.figures import heatmap
from pursuhint.origin import origin
from pursuhint.plan import LARGEST_PLAN

analysis = require_teacher("Hint points")
mine, name = state.get(), short(analysis.card.teacher.spec)
seen = mine.choice.samples or analysis.card.samples
count = len(analysis.layers)
caption = f"{count} candidate layers of {plain(name)}, grouped by how alike {seen:,} images make them"
actions = header("Hint points", caption)
choices = st.container(horizontal=True, gap="medium")
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    badges = st.container()
    overrides.steps()  # before what a choice may not allow: Undo leads out of it
with st.container():
    overrides.elsewhere()
with choices:
    controls.metric("hints", analysis)
    controls.method("hints")
    controls.clusters(
        "hints", len(cached.similarity(analysis, mine.choice.metric, mine.choice.samples).layers)
    )

plan = current.plan(analysis)
with actions:
    with st.popover("Open plan"):
        upload = f"hints-upload-{mine.revision}"
        st.file_uploader(
            "A plan as JSON",
            type=["json"],
            key=upload,
            on_change=overrides.opened,
            args=(upload,),
            max_upload_size=LARGEST_PLAN // 1_000_000,
        )
    downloads.plan(lambda: mine.edited.get(mine.choice, plan))  # with the reason that was typed just now
    pictures = st.container(width="content")
    if st.button("Use in Distill →", type="primary"):
        st.switch_page("../pages/distill.py")

view = explore(analysis, plan)
with badges:
    maps.legend(view, origin(plan))
with pictures:
    parts = {"Matrix": ".matrix .plot", "Layer map": ".map .plot"}
    picture = partial(heatmap, view, dark=dark())
    downloads.drawing(KEY, f"{name}-{plan.metric}-hint-points", parts, picture)
explain(plan.metric, plan.method)

left, right = st.columns([3, 2])
with left:
    with card("Plans", "side by side; a change by hand is one of your own"):
        plans.side_by_side(analysis, plan, view)
        explain("coverage")
    with card("How sure?", "what stays when a fifth of the images is left out"):
        confidence.stability(analysis, plan, view)
        explain("stability")
    with card(
        "By table", f"{several(len(plan.hint_points), 'hint point')} of {len(plan.layers)} layers", fill=True
    ):
        overrides.table(analysis, plan, view)
        explain("hint table")
with right:
    with card("Silhouette over K", "click a bar to take that K"):
        controls.silhouettes(analysis)
        explain("silhouette")
    layer = mine.look.selected or plan.hint_points[-1]
    with card(f"Images at {plain(layer)}", "each dot a probe image, coloured by class"):
        maps.images(analysis, layer)
        explain("image map")
