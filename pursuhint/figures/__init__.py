"""Plotly figures of layers, images and training, for pages, notebooks and reports.

Backgrounds are transparent, so a figure takes the colour of the page it lies on: ``dark`` says which.
"""

from pursuhint.figures.charts import chosen_bars, curves, silhouette_bars
from pursuhint.figures.heatmaps import cross_heatmap, difference_heatmap, heatmap, other_heatmap
from pursuhint.figures.images import image_map
from pursuhint.figures.layers import dendrogram, layer_map
from pursuhint.figures.page import figure_page
from pursuhint.figures.theme import DARK, LIGHT, Theme

__all__ = [
    "DARK",
    "LIGHT",
    "Theme",
    "chosen_bars",
    "cross_heatmap",
    "curves",
    "dendrogram",
    "difference_heatmap",
    "figure_page",
    "heatmap",
    "image_map",
    "layer_map",
    "other_heatmap",
    "silhouette_bars",
]
