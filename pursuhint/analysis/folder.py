"""The analysis folder: everything the app and the commands read about a teacher, without torch."""

from __future__ import annotations

import io
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from pursuhint.analysis.settings import AnalysisSettings
from pursuhint.errors import InputError, PursuhintError, unknown
from pursuhint.files import read_json, write_atomic, write_json
from pursuhint.home import analyses_folder
from pursuhint.jobs import JobFolder
from pursuhint.layers import Layer
from pursuhint.plan import TeacherRef
from pursuhint.probe import StudentCard
from pursuhint.similarity import SimilarityMatrix, similarity_matrix

FORMAT = 1
FEATURES, IMAGE_MAPS, LAYER_MAPS = "features", "image-maps", "layer-maps"


class AnalysisCard(BaseModel):
    """What an analysis is of; written last in its first stage, so its presence means the features are whole.

    Attributes:
        seen: images, accuracy: of the probe images, on which the teacher was usually trained.
        note: how the weights were matched and the preprocessing was found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    teacher: TeacherRef
    parameters: int
    data: str
    data_id: str
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]
    pooling: str
    samples: int
    layers: tuple[dict[str, Any], ...]
    seen_accuracy: float
    note: str
    versions: dict[str, str]


class AnalysisFolder(JobFolder):
    """Read one analysis; the work is done by `pursuhint.analysis.worker`.

    Args:
        path: the folder.
    """

    @staticmethod
    def open(path: Path) -> AnalysisFolder:
        """Open a finished (or advanced) analysis.

        Raises:
            InputError: the folder is no analysis, is of a newer format, or its features are not there yet.
        """
        folder = AnalysisFolder(path)
        if not (folder.path / "analysis.json").is_file():
            reason = folder.last_state().get("reason", "") if folder.journal.path.is_file() else ""
            raise InputError(
                f"`{path}` holds no analysis{': ' + reason if reason else ''}; make one with `pursuhint "
                "analyse`"
            )
        _ = folder.card
        return folder

    @cached_property
    def card(self) -> AnalysisCard:
        """What the analysis is of."""
        path = self.path / "analysis.json"
        try:
            return AnalysisCard.model_validate(read_json(path))
        except ValueError as error:
            raise InputError(
                f"`{path}` was written by another version: {str(error).splitlines()[0]}; analyse the "
                "teacher again"
            ) from None

    @property
    def is_ready(self) -> bool:
        """Whether the features are there."""
        return (self.path / "analysis.json").is_file()

    @property
    def analysis_settings(self) -> AnalysisSettings:
        """What was asked for."""
        return AnalysisSettings.model_validate(self.settings())

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The candidate layers in depth order."""
        return tuple(Layer.from_dict(dict(fields)) for fields in self.card.layers)

    def features(self, layer: str) -> np.ndarray:
        """Return a layer's pooled features as a memory map, float32, shape (n_samples, channels)."""
        return np.load(self.path / FEATURES / f"{self._index(layer):03d}.npy", mmap_mode="r")

    @cached_property
    def probe(self) -> dict[str, np.ndarray]:
        """The probe images' ``ids``, ``labels`` and teacher's ``predictions``, int64, shape (n_samples,)."""
        with np.load(self.path / "samples.npz", allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}

    @cached_property
    def thumbnails(self) -> np.ndarray:
        """Small pictures of the first probe images of the image maps, uint8, shape (n, height, width, 3)."""
        with np.load(self.path / "thumbnails.npz", allow_pickle=False) as arrays:
            return arrays["images"]

    @property
    def test_score(self) -> dict[str, Any] | None:
        """The teacher's ``accuracy`` on ``n`` test images; None until that stage is done."""
        path = self.path / "score.json"
        return read_json(path) if path.is_file() else None

    @property
    def students(self) -> tuple[StudentCard, ...]:
        """Suggested students, largest first; empty until that stage is done."""
        path = self.path / "students.json"
        return tuple(StudentCard.from_dict(one) for one in read_json(path)) if path.is_file() else ()

    @property
    def progress(self) -> tuple[str, int, int] | None:
        """The stage that runs with its done and total; None when nothing was reported yet."""
        events, _ = self.journal.read()
        last = next((e for e in reversed(events) if e["kind"] == "progress"), None)
        return (last["stage"], last["done"], last["total"]) if last else None

    def similarity(self, metric: str, *, samples: int | None = None, keep: bool = True) -> SimilarityMatrix:
        """Return the similarity matrix, from disk when it was computed before.

        Args:
            metric: a name of `pursuhint.similarity.METRICS`.
            samples: use the first probe images only, which hold each class in proportion; all when None.
            keep: write a new matrix of all images beside the features (unless the folder cannot be written).
        """
        count = self.card.samples if samples is None else samples
        if not 1 <= count <= self.card.samples:
            raise InputError(
                f"`samples` must lie between 1 and {self.card.samples}, the probe images of this analysis; "
                f"found {count}"
            )
        whole = count == self.card.samples
        path = self.path / "matrices" / f"{metric}.npz"
        if whole and path.is_file():
            return SimilarityMatrix.load(path)
        representations = {layer.name: self.features(layer.name)[:count] for layer in self.layers}
        matrix = similarity_matrix(representations, metric=metric, pooling=self.card.pooling)
        if whole and keep:
            with suppress(PursuhintError):  # a folder that cannot be written still answers
                matrix.save(path)
        return matrix

    def image_map(self, layer: str) -> np.ndarray | None:
        """Return the map of the probe images at a layer, float32, shape (n, 2), if there is one."""
        path = self.path / IMAGE_MAPS / f"{self._index(layer):03d}.npy"
        return np.load(path) if path.is_file() else None

    def save_image_map(self, layer: str, positions: np.ndarray) -> None:
        """Keep the map of the probe images at a layer."""
        _save_array(self.path / IMAGE_MAPS / f"{self._index(layer):03d}.npy", positions.astype(np.float32))

    def layer_map(self, metric: str) -> np.ndarray | None:
        """Return the UMAP of the layers under a metric, shape (L, 2), or None when none was made yet."""
        path = self.path / LAYER_MAPS / f"{metric}.npy"
        return np.load(path) if path.is_file() else None

    def save_layer_map(self, metric: str, positions: np.ndarray) -> None:
        """Keep the UMAP of the layers under a metric."""
        _save_array(self.path / LAYER_MAPS / f"{metric}.npy", positions.astype(np.float32))

    def _index(self, layer: str) -> int:
        names = [one.name for one in self.layers]
        if layer not in names:
            raise unknown("layer", layer, names)
        return names.index(layer)


def _save_array(path: Path, array: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_atomic(path, lambda file: file.write(buffer.getvalue()) and None)


WORKER = "pursuhint.analysis.worker"
BUILTIN_ANALYSIS = Path(__file__).parents[2] / "assets" / "analyses" / "digits-resnet56"


def request_analysis(settings: AnalysisSettings, *, folder: Path | None = None) -> AnalysisFolder:
    """Start a worker on an analysis, or return the one with the same settings that is there or under way.

    Args:
        settings: what to analyse.
        folder: where analyses are kept; the user's data folder when None.

    Raises:
        InputError: a setting cannot be used.
    """
    settings.check()
    analysis = AnalysisFolder((folder or analyses_folder()) / settings.key())
    if analysis.is_ready and analysis.test_score:
        return analysis
    if not analysis.is_live():
        write_json(analysis.path / "settings.json", settings.model_dump(mode="json"))
        analysis.start(WORKER, threads=settings.threads)
    return analysis


def list_analyses(folder: Path | None = None) -> list[AnalysisFolder]:
    """Return all analyses that were ever asked for, the latest first.

    Args:
        folder: where analyses are kept; the user's data folder when None.
    """
    base = folder or analyses_folder()
    found = [p for p in base.glob("*") if (p / "settings.json").is_file()] if base.is_dir() else []
    return [AnalysisFolder(p) for p in sorted(found, key=lambda p: -(p / "settings.json").stat().st_mtime_ns)]
