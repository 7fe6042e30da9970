"""Maps of layers on demand, each made once and kept.

``python -m pursuhint.analysis.maps FOLDER METRIC SAMPLES`` makes one: a process of its own, because importing
and compiling UMAP takes seconds in which a page would stand still.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from pursuhint.analysis.folder import LAYER_MAPS, AnalysisFolder
from pursuhint.files import locked
from pursuhint.jobs import answer, ask
from pursuhint.similarity import SimilarityMatrix

TIMEOUT = 180


def make_map(folder: AnalysisFolder, metric: str, samples: int | None = None) -> np.ndarray:
    """Return the UMAP of the layers under a metric, made in this process when it is not kept yet.

    Args:
        folder: of the analysis.
        metric: a name of `pursuhint.similarity.METRICS`.
        samples: use the first probe images only; all when None.

    Returns:
        float32, shape (L, 2).
    """
    similarity = folder.similarity(metric, samples=samples)
    kept = folder.layer_map(similarity)
    if kept is None:
        with locked(folder.path / f"{LAYER_MAPS}.lock"):
            kept = folder.layer_map(similarity)  # another process may have made it while this one waited
            if kept is None:
                kept = _made(folder, similarity)
    return kept


def _made(folder: AnalysisFolder, similarity: SimilarityMatrix) -> np.ndarray:
    from pursuhint.embedding import map_layers

    positions = map_layers(similarity, method="umap")
    folder.save_layer_map(similarity, positions)
    return positions


def make_map_apart(folder: AnalysisFolder, metric: str, samples: int | None = None) -> None:
    """Make a map in a process of its own and wait for it; see `make_map`.

    Raises:
        PursuhintError: it failed or took longer than three minutes.
    """
    arguments = (str(folder.path), metric, str(samples or folder.card.samples))
    ask("pursuhint.analysis.maps", *arguments, what=f"the map under `{metric}`", timeout=TIMEOUT)


def main() -> int:
    """Make the map named on the command line."""
    path, metric, samples = sys.argv[1:4]
    return answer(lambda: make_map(AnalysisFolder.open(Path(path)), metric, int(samples)))


if __name__ == "__main__":
    sys.exit(main())
