"""The maker of image maps: ``python -m pursuhint.analysis.image_map_worker ANALYSIS/image-maps``.

A process of its own, because importing and compiling UMAP takes seconds in which a page would stand still,
and one for all layers, because the map of a layer begins at the map of the layer before.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from pursuhint.analysis.folder import AnalysisFolder
from pursuhint.jobs import NICENESS, Reporter, answer, log_lines, recorded
from pursuhint.progress import Progress, silent


def make_image_maps(folder: AnalysisFolder, *, progress: Progress = silent) -> None:
    """Make the maps that are missing, in depth order, and keep each as soon as it is there.

    Args:
        folder: the analysis.
        progress: is told about every layer; an error that it raises ends the work, and nothing is lost.

    Raises:
        InputError: there are too few images, or no features.
    """
    from pursuhint.embedding import map_images

    maps, total = folder.image_maps, len(folder.layers)
    before: np.ndarray | None = None
    for done, layer in enumerate(folder.layers):
        kept = maps.load(layer.name)
        if kept is None:
            progress("mapping the images", done, total)
            maps.save(layer.name, map_images(folder.features(layer.name)[: folder.mapped], start=before))
            kept = maps.load(layer.name)  # as the next layer would find it after a break
        before = kept
    progress("mapping the images", total, total)


def work(folder: AnalysisFolder, *, progress: Progress = silent) -> None:
    """Make the maps as the job that the journal in their folder tells of."""
    job = folder.image_maps
    with job.claim(), recorded(job):
        make_image_maps(folder, progress=Reporter(job, "making the maps of the images", progress))


def main() -> int:
    """Work on the folder named on the command line; the journal and the exit code tell how it went."""
    os.nice(NICENESS)
    path = Path(sys.argv[1])
    with log_lines(f"{path.parent.name}/{path.name}"):
        return answer(lambda: work(AnalysisFolder.open(path.parent)))


if __name__ == "__main__":
    sys.exit(main())
