"""Maps on demand: ``python -m pursuhint.analysis.maps FOLDER KIND NAME`` makes one UMAP and keeps it.

KIND is ``images`` (NAME a layer) or ``layers`` (NAME a metric). A process of its own, because importing and
compiling UMAP takes seconds in which a page would stand still.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import numpy as np

from pursuhint.analysis.folder import AnalysisFolder
from pursuhint.errors import InputError
from pursuhint.jobs import answer, ask

Kind = Literal["images", "layers"]
TIMEOUT = 180


def make_map(folder: AnalysisFolder, kind: Kind, name: str) -> np.ndarray:
    """Return a map, made in this process when it is not kept yet.

    Args:
        folder: the analysis.
        kind: ``images`` for the probe images at a layer, ``layers`` for the layers under a metric.
        name: of the layer or the metric.

    Returns:
        float32, shape (n, 2).
    """
    from pursuhint.analysis.worker import N_MAPPED
    from pursuhint.embedding import map_images, map_layers

    if kind == "images":
        kept = folder.image_map(name)
        if kept is None:
            kept = map_images(np.asarray(folder.features(name)[:N_MAPPED]), seed=0)
            folder.save_image_map(name, kept)
    elif kind == "layers":
        kept = folder.layer_map(name)
        if kept is None:
            kept = map_layers(folder.similarity(name), method="umap")
            folder.save_layer_map(name, kept)
    else:
        raise InputError(f"a map is of `images` or `layers`; found `{kind}`")
    return kept


def make_map_apart(folder: AnalysisFolder, kind: Kind, name: str) -> None:
    """Make a map in a process of its own and wait for it.

    Raises:
        PursuhintError: it failed or took longer than three minutes.
    """
    arguments = (str(folder.path), kind, name)
    ask("pursuhint.analysis.maps", *arguments, what=f"the map of `{name}`", timeout=TIMEOUT)


def main() -> int:
    """Make the map named on the command line."""
    path, kind, name = sys.argv[1:4]
    return answer(lambda: make_map(AnalysisFolder.open(Path(path)), kind, name))


if __name__ == "__main__":
    sys.exit(main())
