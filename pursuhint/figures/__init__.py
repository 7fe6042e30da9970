"""Plotly figures of layers, images and training, for pages, notebooks and reports.

Backgrounds are transparent, so a figure takes the colour of the page it lies on: ``dark`` says which.
"""

from pursuhint.figures.charts import chosen_bars, curves, silhouette_bars
from pursuhint.figures.heatmaps import cross_heatmap, difference_heatmap, heatmap, other_heatmap
from pursuhint.figures.images import image_map
from pursuhint.figures.layers import dendrogram, layer_map
from pursuhint.figures.lesson_layers import cover_bars, image_count_curves, outline_groups, stand_in_bars
from pursuhint.figures.lesson_trainings import gain_intervals, strength_curves
from pursuhint.figures.page import figure_page
from pursuhint.figures.theme import DARK, LIGHT, Theme

__all__ = [
    "DARK",
    "LIGHT",
    "Theme",
    "chosen_bars",
    "cover_bars",
    "cross_heatmap",
    "curves",
    "dendrogram",
    "difference_heatmap",
    "figure_page",
    "gain_intervals",
    "heatmap",
    "image_count_curves",
    "image_map",
    "layer_map",
    "other_heatmap",
    "outline_groups",
    "silhouette_bars",
    "stand_in_bars",
    "strength_curves",
]
