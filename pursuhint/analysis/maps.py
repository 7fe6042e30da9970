"""Maps of layers on demand: ``python -m pursuhint.analysis.maps FOLDER METRIC`` makes one UMAP and keeps it.

A process of its own, because importing and compiling UMAP takes seconds in which a page would stand still.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from pursuhint.analysis.folder import AnalysisFolder
from pursuhint.jobs import answer, ask

TIMEOUT = 180


def make_map(folder: AnalysisFolder, metric: str) -> np.ndarray:
    """Return the UMAP of the layers under a metric, made in this process when it is not kept yet.

    Returns:
        float32, shape (L, 2).
    """
    from pursuhint.embedding import map_layers

    kept = folder.layer_map(metric)
    if kept is None:
        kept = map_layers(folder.similarity(metric), method="umap")
        folder.save_layer_map(metric, kept)
    return kept


def make_map_apart(folder: AnalysisFolder, metric: str) -> None:
    """Make a map in a process of its own and wait for it.

    Raises:
        PursuhintError: it failed or took longer than three minutes.
    """
    arguments = (str(folder.path), metric)
    ask("pursuhint.analysis.maps", *arguments, what=f"the map under `{metric}`", timeout=TIMEOUT)


def main() -> int:
    """Make the map named on the command line."""
    path, metric = sys.argv[1:3]
    return answer(lambda: make_map(AnalysisFolder.open(Path(path)), metric))


if __name__ == "__main__":
    sys.exit(main())
