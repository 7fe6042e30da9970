"""Plotly figures of layers, images and training, for pages, notebooks and reports.

Backgrounds are transparent, so a figure takes the colour of the page it lies on: ``dark`` says which.
"""

from pursuhint.figures.charts import chosen_bars, curves, silhouette_bars
from pursuhint.figures.images import image_map
from pursuhint.figures.layers import dendrogram, heatmap, layer_map
from pursuhint.figures.lesson_layers import cover_bars, image_count_curves, outline_groups, stand_in_bars
from pursuhint.figures.lesson_trainings import gain_intervals, strength_curves
from pursuhint.figures.theme import DARK, LIGHT, Theme

__all__ = [
    "DARK",
    "LIGHT",
    "Theme",
    "chosen_bars",
    "cover_bars",
    "curves",
    "dendrogram",
    "gain_intervals",
    "heatmap",
    "image_count_curves",
    "image_map",
    "layer_map",
    "outline_groups",
    "silhouette_bars",
    "stand_in_bars",
    "strength_curves",
]
