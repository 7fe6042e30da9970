"""The similarity matrix: values with everything needed to read them later, and its file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pursuhint.errors import InputError, unknown
from pursuhint.files import read_npz, write_atomic
from pursuhint.similarity.notes import LayerNote, PairNote, note_pair
from pursuhint.similarity.registry import METRICS, find_metric

FORMAT = 1


@dataclass(frozen=True, eq=False)
class SimilarityMatrix:
    """Similarities of every pair of layers, 1 = same.

    Attributes:
        values: (L, L) float64, symmetric, diagonal 1.
        layers: L names in depth order; layers that could not be compared are missing.
        metric: key in ``METRICS``.
        pooling: how a feature map became a row.
        samples: number of images that the metric used.
        notes: one for each layer, those left out included.
        excluded: layer left out -> reason.
    """

    values: np.ndarray
    layers: tuple[str, ...]
    metric: str
    pooling: str
    samples: int
    notes: dict[str, LayerNote]
    excluded: dict[str, str]

    def __post_init__(self) -> None:
        depth = len(self.layers)
        if self.values.shape != (depth, depth):
            raise InputError(
                f"`values` must be square with one row a layer: found {self.values.shape} for {depth} layers"
            )

    def distance(self) -> np.ndarray:
        """Return (L, L) distances, 1 - similarity, never below 0 and exactly 0 on the diagonal.

        Example:
            >>> values = np.array([[1.0, 0.75], [0.75, 1.0]])
            >>> SimilarityMatrix(values, ("a", "b"), "cka_linear", "mean", 100, {}, {}).distance()
            array([[0.  , 0.25],
                   [0.25, 0.  ]])
        """
        distance = np.clip(1.0 - self.values, 0.0, None)
        np.fill_diagonal(distance, 0.0)
        return distance

    def pair_note(self, first: str, second: str) -> PairNote:
        """Say how far the similarity of two layers can be trusted.

        Args:
            first: name of a layer, one that was left out included.
            second: name of another one.

        Raises:
            InputError: unknown layer, or a matrix of a metric that is not known here.

        Example:
            >>> note = LayerNote(64, 64, 15.6, "ok", "all 64 directions vary, 15.6 images per feature")
            >>> notes = {"a": note, "b": note}
            >>> matrix = SimilarityMatrix(np.eye(2), ("a", "b"), "r2_cca", "mean", 1000, notes, {})
            >>> matrix.pair_note("a", "b").text
            'unrelated layers of ranks 64 and 64 score about 0.064 on 1,000 images'
        """
        for name in (first, second):
            if name not in self.notes:
                raise unknown("layer", name, self.notes)
        notes = (self.notes[first], self.notes[second])
        return note_pair((first, second), notes, self.samples, find_metric(self.metric))

    def floors(self) -> np.ndarray | None:
        """Return (L, L): what unrelated layers of these ranks score by chance; None where that is about 0.

        Example:
            >>> notes = {name: LayerNote(64, 64, 15.6, "ok", "") for name in "ab"}
            >>> SimilarityMatrix(np.eye(2), ("a", "b"), "r2_cca", "mean", 1000, notes, {}).floors()[0, 1]
            np.float64(0.064)
        """
        floor = METRICS[self.metric].floor if self.metric in METRICS else None
        if floor is None or not all(name in self.notes for name in self.layers):
            return None
        ranks, place = np.unique(
            [self.notes[name].effective_rank for name in self.layers], return_inverse=True
        )
        each = [[min(1.0, floor(p, q, self.samples)) for q in ranks.tolist()] for p in ranks.tolist()]
        return np.array(each)[np.ix_(place, place)]

    def save(self, path: Path) -> None:
        """Write ``similarity``, ``layers`` and ``settings`` (JSON) as .npz without pickled objects.

        Raises:
            PursuhintError: the file cannot be written.
        """
        settings = {
            "format": FORMAT,
            "metric": self.metric,
            "pooling": self.pooling,
            "samples": self.samples,
            "notes": {name: asdict(note) for name, note in self.notes.items()},
            "excluded": self.excluded,
        }
        arrays = {
            "similarity": self.values,
            "layers": np.array(self.layers),
            "settings": json.dumps(settings),
        }
        write_atomic(path, lambda file: np.savez(file, **arrays))

    @classmethod
    def load(cls, path: Path) -> SimilarityMatrix:
        """Read what `save` wrote.

        Raises:
            InputError: no such file, or not a similarity matrix of this format.
        """
        arrays = read_npz(path, what="a similarity matrix written by `pursuhint similarity`")
        try:
            settings = json.loads(str(arrays["settings"]))
            found = settings.pop("format")
            if found != FORMAT:
                raise InputError(
                    f"`{path}` must have format {FORMAT}: found {found}; write it again with this version"
                )
            notes = {name: LayerNote(**note) for name, note in settings.pop("notes").items()}
            return cls(arrays["similarity"], tuple(arrays["layers"].tolist()), notes=notes, **settings)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"`{path}` must be a similarity matrix written by `pursuhint similarity`: {error}; "
                "write it again"
            ) from None
