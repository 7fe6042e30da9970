"""The methods that group layers by their distances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pursuhint.clustering.contiguous import contiguous
from pursuhint.clustering.depth_means import depth_means
from pursuhint.clustering.k_medoids import k_medoids
from pursuhint.clustering.result import Partition
from pursuhint.clustering.spectral import spectral
from pursuhint.clustering.trees import Tree, average_tree, complete_tree, cut, ward_tree


@dataclass(frozen=True)
class Method:
    """A way to group layers.

    Attributes:
        name: the key in ``METHODS``.
        title: the name for people.
        partition: (L, L) distances, number of clusters, seed -> the partition.
        note: what it does, in one line.
        centre: what stands for a cluster.
        tree: its dendrogram; the average-linkage one where the method has none of its own.
        cuts_tree: whether its clusters are what a cut through `tree` leaves.
        height: what the heights of `tree` are, in words.
        uses_depth: whether the order of the layers matters, beside their distances.
    """

    name: str
    title: str
    partition: Callable[[np.ndarray, int, int], Partition]
    note: str
    centre: Literal["middle of depth", "medoid"] = "medoid"
    tree: Tree = average_tree
    cuts_tree: bool = False
    height: str = "distance (1 − similarity)"
    uses_depth: bool = False


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "pursuhint",
            "PURSUhInT",
            depth_means,
            "The published rule: k-means over layers, each cluster centred on the middle of its depth.",
            centre="middle of depth",
            uses_depth=True,
        ),
        Method(
            "agglomerative",
            "Average tree",
            cut(average_tree),
            "Cuts the tree that joins the groups nearest on average.",
            cuts_tree=True,
        ),
        Method(
            "complete",
            "Complete tree",
            cut(complete_tree),
            "Cuts the tree that joins the groups whose farthest layers are nearest: compact clusters.",
            tree=complete_tree,
            cuts_tree=True,
        ),
        Method(
            "ward",
            "Ward tree",
            cut(ward_tree),
            "Cuts the tree that joins the groups whose union spreads least: clusters of like size.",
            tree=ward_tree,
            cuts_tree=True,
            height="spread that the merge adds (Ward)",
        ),
        Method(
            "kmedoids",
            "k-medoids",
            k_medoids,
            "Finds the layers to which all layers are most alike in total (FasterPAM).",
        ),
        Method(
            "spectral",
            "Spectral",
            spectral,
            "Cuts the graph of similarities where it is thinnest, whatever the shape of the clusters.",
        ),
        Method(
            "contiguous",
            "Contiguous",
            contiguous,
            "Cuts the depth axis into runs of layers, each as like its medoid as can be.",
            uses_depth=True,
        ),
    )
}
