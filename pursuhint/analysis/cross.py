"""Layers of two networks compared on the same images: a teacher and the student it taught."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pursuhint.analysis.folder import CROSS, FLATTEN, AnalysisFolder
from pursuhint.analysis.once import kept
from pursuhint.analysis.settings import AnalysisSettings
from pursuhint.errors import InputError
from pursuhint.files import read_npz, write_atomic
from pursuhint.pairs import Pair, default_pairs, settle_pairs
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

    @classmethod
    def load(cls, path: Path) -> CrossMatrix:
        """Read what `save` wrote.

        Raises:
            InputError: no such file, or not such a matrix.
        """
        arrays = read_npz(path, what="a cross matrix written by `pursuhint similarity --against`")
        try:
            names = (tuple(arrays[part].tolist()) for part in ("rows", "columns"))
            found = cls(arrays["similarity"], *names, str(arrays["metric"]), int(arrays["samples"]))
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f"`{path}` must hold a cross matrix: {error}; write it again") from None
        if found.values.shape != (len(found.rows), len(found.columns)):
            raise InputError(
                f"`{path}` must hold one row a layer of the first network and one column a layer of the "
                f"second: found {found.values.shape}; write it again"
            )
        return found


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


def kept_cross_matrix(first: AnalysisFolder, second: AnalysisFolder, metric: str) -> CrossMatrix:
    """Compare the layers of two analysed networks once; the matrix stays with the second analysis.

    See `cross_matrix` for arguments and errors.
    """
    path = second.path / CROSS / f"{first.card.key or first.card.teacher.hash}-{metric}.npz"
    return kept(path, CrossMatrix.load, lambda: cross_matrix(first, second, metric), keep=True)


def check_taught(run: RunFolder, teacher: AnalysisFolder) -> None:
    """Refuse a run whose student learnt from another teacher, or from none.

    Raises:
        InputError: so it is.
    """
    plan, card = run.run_settings.plan, teacher.card
    if plan is None:
        raise InputError(
            f"run `{run.id}` trained a network without a teacher: choose a distillation, or compare the two "
            "by `pursuhint similarity --against`"
        )
    if plan.teacher.hash != card.teacher.hash:
        raise InputError(
            f"the student of run `{run.id}` learnt from another teacher: from `{plan.teacher.spec}` with "
            f"weights {plan.teacher.hash}, while this is `{card.teacher.spec}` with weights "
            f"{card.teacher.hash}; choose another run, or open that teacher"
        )


def run_pairs(run: RunFolder, student: AnalysisFolder) -> tuple[Pair, ...]:
    """Return the pairs that a run trained, those that it took by default included; none without hints.

    Args:
        run: a distillation.
        student: the analysis of its student, which knows the student's layers.
    """
    settings = run.run_settings
    plan = settings.plan
    if plan is None or settings.hint_loss == "none":
        return ()
    default = default_pairs(plan.hint_points, plan.layers, student.layers)
    return settle_pairs(default, plan.pairs, settings.pairs)


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
