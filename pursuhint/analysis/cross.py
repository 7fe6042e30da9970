"""Layers of two networks compared on the same images: a teacher and the student it taught."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pursuhint.analysis.folder import FLATTEN, AnalysisFolder
from pursuhint.analysis.settings import AnalysisSettings
from pursuhint.errors import InputError
from pursuhint.files import write_atomic
from pursuhint.runs import RunFolder
from pursuhint.similarity import cross_similarity


@dataclass(frozen=True, eq=False)
class CrossMatrix:
    """Similarities of every layer of one network to every layer of another.

    Attributes:
        values: (L1, L2) float64.
        rows: L1 layer names of the first network, in depth order.
        columns: L2 layer names of the second one.
        metric: key in ``METRICS``.
        samples: number of images.
    """

    values: np.ndarray
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    metric: str
    samples: int

    def save(self, path: Path) -> None:
        """Write ``similarity``, ``rows``, ``columns``, ``metric`` and ``samples`` as .npz."""
        arrays = {
            "similarity": self.values,
            "rows": np.array(self.rows),
            "columns": np.array(self.columns),
            "metric": np.array(self.metric),
            "samples": np.array(self.samples),
        }
        write_atomic(path, lambda file: np.savez(file, **arrays))


def cross_matrix(first: AnalysisFolder, second: AnalysisFolder, metric: str) -> CrossMatrix:
    """Compare the layers of two analysed networks.

    Args:
        first: an analysis, such as a teacher's.
        second: one of the same probe images in the same pooling, such as its student's.
        metric: key in ``METRICS``.

    Returns:
        The matrix, without the layers in which nothing varies.

    Raises:
        InputError: other images or another pooling, or a metric that cannot be computed on them.
    """
    same_images = np.array_equal(first.probe["ids"], second.probe["ids"])
    if first.card.data_id != second.card.data_id or not same_images:
        raise InputError(
            f"both networks must have seen the same probe images: found {first.card.samples:,} of "
            f"`{first.card.data}` and {second.card.samples:,} of `{second.card.data}`; analyse the "
            "second one on the data of the first, with as many `--samples`"
        )
    if first.card.pooling != second.card.pooling or first.card.pooling == FLATTEN:
        raise InputError(
            f"both analyses must have the same pooling, which keeps features: found `{first.card.pooling}` "
            f"and `{second.card.pooling}`; analyse both with `mean`"
        )
    rows, columns = (_varying(analysis) for analysis in (first, second))
    values = cross_similarity(rows, columns, metric=metric)
    return CrossMatrix(values, tuple(rows), tuple(columns), metric, first.card.samples)


def student_settings(run: RunFolder, teacher: AnalysisFolder) -> AnalysisSettings:
    """Return the settings that analyse a run's student on the probe images of its teacher's analysis.

    Raises:
        InputError: the run has no student yet.
    """
    if not run.student.is_file():
        state = run.last_state()["state"]
        raise InputError(f"run `{run.id}` has no student yet: it is {state}; wait until it is finished")
    settings, card = run.run_settings, teacher.card
    return AnalysisSettings(
        teacher=settings.student,
        weights=str(run.student),
        data=card.data,
        preprocess=settings.preprocess,
        samples=card.samples,
        pooling=card.pooling,
        allow_weak_teacher=True,
    )


def _varying(analysis: AnalysisFolder) -> dict[str, np.ndarray]:
    return {name: analysis.features(name) for name in analysis.moments().layers}
