"""The analysis folder: everything the app and the commands read about a teacher, without torch."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pursuhint.analysis.card import FORMAT, AnalysisCard
from pursuhint.analysis.image_maps import ImageMaps
from pursuhint.analysis.once import kept, save_array
from pursuhint.analysis.progress import AnalysisProgress, analysis_progress
from pursuhint.analysis.rows import RowsFile, feature_file, map_features
from pursuhint.analysis.settings import AnalysisSettings
from pursuhint.errors import InputError, PursuhintError, unknown
from pursuhint.files import crc32_file, read_json, read_npz, write_atomic
from pursuhint.formats import check_version
from pursuhint.home import analyses_folder
from pursuhint.jobs import JobFolder
from pursuhint.layers import Layer
from pursuhint.progress import Progress, silent
from pursuhint.similarity import (
    METRICS,
    Blocks,
    FeatureBlocks,
    HsicBlocks,
    Moments,
    SimilarityMatrix,
    check_pooling,
    matrix_from_hsic,
    matrix_from_moments,
    measure_moments,
    similarity_matrix,
)
from pursuhint.stability import Stability, StabilityQuestion, leave_one_out, measure_stability
from pursuhint.students import StudentCard

FEATURES, IMAGE_MAPS, LAYER_MAPS = "features", "image-maps", "layer-maps"
MATRICES, STABILITY, SIGHTS, CROSS = "matrices", "stability", "sights", "cross"
HSIC = "hsic.npz"
FLATTEN = "flatten"
N_MAPPED = 2000
"""Probe images that the image maps show."""
NOTHING_KEPT = (
    "flattened activations are too large to be kept: this analysis holds only what debiased CKA needs; make "
    "one with the pooling `mean` for features and maps of images"
)


class AnalysisFolder(JobFolder):
    """Read one analysis; the work is done by `pursuhint.analysis.worker`.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._known_whole = False

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
        if path.parent == analyses_folder():
            with suppress(OSError):
                os.utime(folder.path / "settings.json")  # when it was last used
        return folder

    @cached_property
    def card(self) -> AnalysisCard:
        """What the analysis is of."""
        path = self.path / "analysis.json"
        content = read_json(path)
        check_version(content, FORMAT, "an analysis", source=str(self.path), field="format")
        try:
            return AnalysisCard.model_validate(content)
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
        """Return a layer's pooled features as a memory map, float32, shape (n_samples, features).

        Raises:
            InputError: unknown layer, flattened activations (they are never kept), or a damaged file.
        """
        return map_features(self._feature_file(layer), rows=self.card.samples)

    def _feature_file(self, layer: str) -> Path:
        index = self._index(layer)
        if self.card.pooling == FLATTEN:
            raise InputError(NOTHING_KEPT)
        self._check_whole()
        return feature_file(self.path / FEATURES, index)

    def damaged(self) -> list[str]:
        """Return the layers whose features are not what the pass wrote; all, without probe images."""
        try:
            _ = self.probe
        except InputError:
            return [layer.name for layer in self.layers]
        if self.card.pooling == FLATTEN:
            with suppress(InputError):
                self._minibatches(self.card.samples)
                return []
            return [layer.name for layer in self.layers]
        files = [feature_file(self.path / FEATURES, index) for index in range(len(self.card.checksums))]
        return [
            layer.name
            for layer, file, checksum in zip(self.layers, files, self.card.checksums, strict=False)
            if not file.is_file() or crc32_file(file) != checksum
        ]

    def _check_whole(self) -> None:
        """Look once, before the first use, whether the features are whole."""
        if not self._known_whole and (damaged := self.damaged()):
            raise InputError(
                f"the features of `{damaged[0]}` in `{self.path}` are damaged ({len(damaged)} of "
                f"{len(self.layers)} layers): they are not what the pass over the probe images wrote; "
                "analyse the teacher again"
            )
        self._known_whole = True

    @cached_property
    def probe(self) -> dict[str, np.ndarray]:
        """The probe images' ``ids``, ``labels`` and teacher's ``predictions``, int64, shape (n_samples,)."""
        return read_npz(self.path / "samples.npz", what="the probe images of an analysis")

    @cached_property
    def thumbnails(self) -> np.ndarray:
        """Small pictures of the first probe images of the image maps, uint8, shape (n, height, width, 3)."""
        return read_npz(self.path / "thumbnails.npz", what="small pictures of the probe images")["images"]

    @property
    def test_score(self) -> dict[str, Any] | None:
        """The teacher's ``accuracy`` on ``n`` test images; None until that stage is done."""
        path = self.path / "score.json"
        return read_json(path) if path.is_file() else None

    @property
    def students(self) -> tuple[StudentCard, ...]:
        """Suggested students, the best first; empty until that stage is done."""
        path = self.path / "students.json"
        return _students(path, path.stat().st_mtime_ns) if path.is_file() else ()

    def progress(self, *, usual: Mapping[str, float] | None = None) -> AnalysisProgress:
        """Return the stages, which of them are done, and the time left; see `analysis_progress`."""
        events, _ = self.journal.read()
        return analysis_progress(events, now=time.time(), usual=usual)

    def similarity(self, metric: str, *, samples: int | None = None, keep: bool = True) -> SimilarityMatrix:
        """Return the similarity matrix, without the teacher: from disk, from moments or from features.

        Args:
            metric: a name of `pursuhint.similarity.METRICS`.
            samples: use the first probe images only, which hold each class in proportion; all when None.
            keep: write what was computed beside the features (unless the folder cannot be written).

        Raises:
            InputError: unknown metric, one that the pooling does not allow, or another number of images than
                there are.
        """
        count = self._count(samples)
        check_pooling(metric, self.card.pooling)
        path = self._matrix_file(metric, count)
        return kept(path, SimilarityMatrix.load, lambda: self._compare(metric, count, keep), keep=keep)

    def kept_similarity(self, metric: str, *, samples: int | None = None) -> SimilarityMatrix | None:
        """Return the similarity matrix if it was computed before; see `similarity`."""
        with suppress(InputError):
            return SimilarityMatrix.load(self._matrix_file(metric, self._count(samples)))
        return None

    def moments(self, *, samples: int | None = None, keep: bool = True) -> Moments:
        """Return what every metric but those of distances needs of the features; see `similarity`."""
        count = self._count(samples)
        path = self._matrix_file("moments", count)
        return kept(path, Moments.load, lambda: measure_moments(self._first(count)), keep=keep)

    def blocks(self, *, samples: int | None = None, layers: Sequence[str] | None = None) -> Blocks:
        """Return the similarities of parts of the probe images, for resampling.

        Args:
            samples: use the first probe images only; all when None.
            layers: at least these are among them, which saves time where few are wanted; all when None.

        Raises:
            InputError: unknown layer, or another number of images than there are.
        """
        count = self._count(samples)
        if self.card.pooling == FLATTEN:
            return HsicBlocks(*self._minibatches(count), [layer.name for layer in self.layers])
        moments = self.moments(samples=count)
        if layers is None:
            return FeatureBlocks(self._first(count), moments=moments)
        files = {name: RowsFile(self._feature_file(name), rows=count) for name in layers}
        return FeatureBlocks(files, moments=moments.subset(layers))

    def stability(
        self,
        question: StabilityQuestion,
        *,
        samples: int | None = None,
        keep: bool = True,
        progress: Progress = silent,
    ) -> Stability:
        """Return how far hint points depend on the probe images, from disk when it was measured before.

        Args:
            question: what is asked.
            samples: use the first probe images only; all when None.
            keep: write what was measured beside the features.
            progress: is told about every subset.

        Raises:
            InputError: an unknown name, or too few images or blocks.
        """
        count = self._count(samples)
        check_pooling(question.metric, self.card.pooling)

        def measure() -> Stability:
            blocks = self.blocks(samples=count)
            left_out = self.left_out(question.metric, samples=count, keep=keep, progress=progress)
            return measure_stability(blocks, **vars(question), left_out=left_out, progress=progress)

        return kept(self._stability_file(question, count), Stability.load, measure, keep=keep)

    def kept_stability(self, question: StabilityQuestion, *, samples: int | None = None) -> Stability | None:
        """Return the stability if it was measured before; see `stability`."""
        path = self._stability_file(question, self._count(samples))
        with suppress(InputError):
            return Stability.load(path)
        return None

    def left_out(
        self, metric: str, *, samples: int | None = None, keep: bool = True, progress: Progress = silent
    ) -> np.ndarray:
        """Return the similarities without each block of the probe images in turn, (B, L, L): for intervals.

        Args:
            metric: key in ``METRICS``.
            samples: use the first probe images only; all when None.
            keep: write what was measured beside the features.
            progress: is told about every block.

        Raises:
            InputError: an unknown metric, one that the pooling does not allow, or too few images.
        """
        check_pooling(metric, self.card.pooling)
        found = self.kept_left_out(metric, samples=samples)
        if found is None:
            found = leave_one_out(self.blocks(samples=samples), metric, progress=progress)
            if keep:
                with suppress(PursuhintError):  # a folder that cannot be written still answers
                    path = self.left_out_file(metric, samples=samples)
                    write_atomic(path, lambda file: np.savez(file, left_out=found))
        return found

    def kept_left_out(self, metric: str, *, samples: int | None = None) -> np.ndarray | None:
        """Return the same if it was measured before and can be read; see `left_out`."""
        with suppress(InputError, KeyError):
            path = self.left_out_file(metric, samples=samples)
            return read_npz(path, what="similarities without each block of images")["left_out"]
        return None

    def left_out_file(self, metric: str, *, samples: int | None = None) -> Path:
        """Return where `left_out` is kept; the file need not be there."""
        return self.path / MATRICES / f"left-out-{metric}-{self._count(samples)}.npz"

    def _stability_file(self, question: StabilityQuestion, count: int) -> Path:
        return self.path / STABILITY / f"{question.key()}-{count}.npz"

    def _matrix_file(self, name: str, count: int) -> Path:
        return self.path / MATRICES / f"{name}{self._part(count)}.npz"

    def _part(self, count: int) -> str:
        """Return what the name of a file says of how many images it is of: nothing of all of them."""
        return "" if count == self.card.samples else f"-{count}"

    def _count(self, samples: int | None) -> int:
        count = self.card.samples if samples is None else samples
        if not 1 <= count <= self.card.samples:
            raise InputError(
                f"`samples` must lie between 1 and {self.card.samples}, the probe images of this analysis; "
                f"found {count}"
            )
        return count

    def _first(self, count: int) -> dict[str, RowsFile]:
        return {layer.name: RowsFile(self._feature_file(layer.name), rows=count) for layer in self.layers}

    def _compare(self, metric: str, count: int, keep: bool) -> SimilarityMatrix:
        pooling = self.card.pooling
        if pooling == FLATTEN:
            widths = {layer.name: math.prod(layer.shape) for layer in self.layers}
            return matrix_from_hsic(*self._minibatches(count), widths)
        if METRICS[metric].family == "moments":
            return matrix_from_moments(self.moments(samples=count, keep=keep), metric=metric, pooling=pooling)
        return similarity_matrix(self._first(count), metric=metric, pooling=pooling)

    def _minibatches(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return HSIC and sizes of the minibatches that lie within the first images.

        Raises:
            InputError: there is none, or the file is damaged.
        """
        arrays = read_npz(self.path / HSIC, what="HSIC of minibatches")
        hsic, sizes = arrays["hsic"], arrays["sizes"]
        within = np.cumsum(sizes) <= count
        if not within.any():
            raise InputError(
                f"flattened activations are kept by minibatches of {sizes[0]:,} images: take at least "
                f"{sizes[0]:,}, found {count:,}"
            )
        return hsic[within], sizes[within]

    @property
    def mapped(self) -> int:
        """How many probe images have a thumbnail and a place on the maps of images: the first ones."""
        return min(self.card.samples, N_MAPPED)

    @cached_property
    def image_maps(self) -> ImageMaps:
        """The maps of the probe images, one a layer.

        Raises:
            InputError: flattened activations are never kept, so there is nothing to map.
        """
        if self.card.pooling == FLATTEN:
            raise InputError(NOTHING_KEPT)
        return ImageMaps(self.path / IMAGE_MAPS, [layer.name for layer in self.layers], self.mapped)

    def layer_map(self, similarity: SimilarityMatrix) -> np.ndarray | None:
        """Return the UMAP of a matrix's layers, shape (L, 2); None for none yet, or one that is damaged."""
        with suppress(Exception):  # whatever damaged bytes end in: it can be made again
            kept = np.load(self._layer_map_file(similarity), allow_pickle=False)
            if kept.shape == (len(similarity.layers), 2) and np.isfinite(kept).all():
                return kept
        return None

    def save_layer_map(self, similarity: SimilarityMatrix, positions: np.ndarray) -> None:
        """Keep the UMAP of a matrix's layers."""
        save_array(self._layer_map_file(similarity), positions.astype(np.float32))

    def _layer_map_file(self, similarity: SimilarityMatrix) -> Path:
        """Return where the UMAP of a matrix's layers is kept; the file need not be there."""
        return self.path / LAYER_MAPS / f"{similarity.metric}{self._part(similarity.samples)}.npy"

    def _index(self, layer: str) -> int:
        names = [one.name for one in self.layers]
        if layer not in names:
            raise unknown("layer", layer, names)
        return names.index(layer)


@lru_cache(maxsize=16)
def _students(path: Path, written: int) -> tuple[StudentCard, ...]:
    """Read the suggested students as they were written at that time."""
    return tuple(StudentCard.from_dict(one) for one in read_json(path))
