"""Maps of layers and of images, made on demand in a process of their own and kept with the analysis."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app import cached, downloads, failures, state
from app.chrome import dark, draw
from app.words import plain
from pursuhint.analysis import AnalysisFolder
from pursuhint.analysis.folder import FLATTEN
from pursuhint.analysis.maps import make_map_apart
from pursuhint.embedding import map_layers
from pursuhint.errors import PursuhintError
from pursuhint.view import LayerView

BADGES = {"blue": "blue", "orange": "orange", "green": "green", "purple": "violet", "crimson": "red"}
WAIT = "Making the map: about 20 seconds the first time, then it is kept …"


def legend(view: LayerView, aside: str) -> None:
    """Write the hint points as badges, as near to the colours of their clusters as the theme has.

    Number and name share one badge: a narrow screen breaks lines between badges, never inside one.
    """
    badges = []
    for number, layer in enumerate(view.hints, start=1):
        colour = BADGES.get(view.colours[view.clusters[layer]], "gray")
        badges.append(f":{colour}-badge[HP{number}&ensp;**{plain(view.layers[layer])}**]")
    with st.container(key="hints-legend", width="stretch", gap=None):
        st.markdown("&ensp; ".join(badges))
        st.caption(plain(aside))


def layer_positions(analysis: AnalysisFolder, metric: str) -> np.ndarray | None:
    """Return the layer map that the visitor wants to see; None for MDS, which every drawing has.

    Raises:
        PursuhintError: the UMAP could not be made; MDS is chosen in its place, so that it is not tried again
            with every run of the page.
    """
    mine = state.get()
    method, samples = mine.look.map, mine.choice.samples
    if method == "mds":
        return None
    similarity = cached.similarity(analysis, metric, samples)
    if method == "pca":
        return map_layers(similarity, method="pca")
    if analysis.layer_map(similarity) is None:
        try:
            with st.spinner(WAIT):
                make_map_apart(analysis, metric, samples)
        except PursuhintError:
            mine.show(map="mds")
            raise
    return analysis.layer_map(similarity)


def images(analysis: AnalysisFolder, layer: str) -> None:
    """Draw the probe images at a layer, once their maps are made, and the way to all layers."""
    if analysis.card.pooling == FLATTEN:
        st.caption("Of flattened activations nothing is kept that images could be mapped by.")
        return
    with failures.shown():
        positions = analysis.image_maps.load(layer)
        if positions is not None:
            classes = [analysis.card.classes[label] for label in analysis.probe["labels"][: len(positions)]]
            figure = cached.image_map(analysis, layer, dark=dark())
            draw(figure, "hints-images", f"UMAP of the probe images at {layer}")
            table = pd.DataFrame({"x": positions[:, 0], "y": positions[:, 1], "class": classes})
            downloads.offer("images", f"images-{layer}", figure=figure, picture="hints-images", table=table)
        st.page_link("../pages/what_a_layer_sees.py", label="Walk through the layers →")
