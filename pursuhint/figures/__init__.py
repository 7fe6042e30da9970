"""Plotly figures of layers, images and training, for pages, notebooks and reports.

Backgrounds are transparent, so a figure takes the colour of the page it lies on: ``dark`` says which.
"""

from pursuhint.figures.charts import chosen_bars, curves, silhouette_bars
from pursuhint.figures.images import image_map
from pursuhint.figures.layers import dendrogram, heatmap, layer_map
from pursuhint.figures.theme import DARK, LIGHT, Theme

__all__ = [
    "DARK",
    "LIGHT",
    "Theme",
    "chosen_bars",
    "curves",
    "dendrogram",
    "heatmap",
    "image_map",
    "layer_map",
    "silhouette_bars",
]
