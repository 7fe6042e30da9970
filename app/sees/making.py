"""The way to the maps of the images: not there, being made, stopped."""

from __future__ import annotations

import streamlit as st

from app import failures, fragments
from app.chrome import several
from pursuhint.analysis import AnalysisFolder
from pursuhint.jobs.stopping import stop_soon

EVERY = 1
"""Seconds between two looks at maps that are being made."""


def make(analysis: AnalysisFolder) -> None:
    """Offer to make the missing maps, or show how far they are."""
    fragments.follow(_draw, _is_live, analysis, every=EVERY)


def _is_live(analysis: AnalysisFolder) -> bool:
    return analysis.image_maps.is_live()


def _draw(analysis: AnalysisFolder) -> None:
    (_making if _is_live(analysis) else _offer)(analysis)


def _offer(analysis: AnalysisFolder) -> None:
    maps = analysis.image_maps
    missing = len(maps.missing())
    with st.container(border=True):
        st.markdown("**One map of the images for each layer, to walk through.**")
        st.caption(
            f"{several(missing, 'map')} of {analysis.mapped:,} images to be made by UMAP, each from the one "
            "of the layer before: half a minute to begin with, then a few seconds each. They are kept."
        )
        if trouble := maps.trouble():
            failures.show(f"The last attempt ended early: {trouble}")
        label = "Make the maps" if missing == len(analysis.layers) else "Make the missing maps"
        st.button(label, type="primary", key="make-maps", on_click=failures.kept(maps.request))


def _making(analysis: AnalysisFolder) -> None:
    maps = analysis.image_maps
    stopping = maps.last_state()["state"] == "stopping"
    done, total, left = maps.standing()
    with st.container(border=True):
        now = "stopping after this layer" if stopping else left or "getting ready"
        st.progress(
            done / total, text=f"**Mapping the images** · layer {min(done + 1, total)} of {total} · {now}"
        )
        st.caption("It goes on when you leave this page; what is made is kept.")
        st.button("Cancel", key="cancel-maps", on_click=stop_soon, args=(maps,), disabled=stopping)
