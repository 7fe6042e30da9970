"""Groups of alike layers, and the layer that stands for each: the automatic hint points (arrays only)."""

from __future__ import annotations

from pursuhint.clustering.clusters import cluster_layers, linkage, preset_clustering
from pursuhint.clustering.methods import METHODS, Method
from pursuhint.clustering.number import silhouette_curve, suggested_clusters
from pursuhint.clustering.presets import PRESETS, Preset, random_layers, uniform
from pursuhint.clustering.result import Clustering
from pursuhint.clustering.silhouette import silhouette

__all__ = [
    "METHODS",
    "PRESETS",
    "Clustering",
    "Method",
    "Preset",
    "cluster_layers",
    "linkage",
    "preset_clustering",
    "random_layers",
    "silhouette",
    "silhouette_curve",
    "suggested_clusters",
    "uniform",
]
