"""What is known of a choice of hint points: how stable it is, and how well it covers the layers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from pursuhint.coverage import CoverageReport
from pursuhint.errors import InputError
from pursuhint.files import read_npz, write_atomic

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Stability:
    """How far a clustering and its hint points depend on the probe images.

    Attributes:
        metric, method, clusters: what was clustered, how, and into how many.
        layers: L names in depth order.
        centres: the hint points that the clustering of all images gives, in depth order.
        hint_points: the hint points in force, whose coverage this is; the centres unless others were given.
        images: number of probe images.
        resamples: number of subsets of the images that were clustered.
        share: part of the images that each subset holds.
        frequency: layer -> share of the subsets in which it is a centre, in depth order, 0 included.
        agreement: mean adjusted Rand index between the clusterings of the subsets and of all images.
        agreement_range: its 5 % and 95 % quantiles over the subsets.
        agreement_between_metrics: other metric -> adjusted Rand index with its clustering of all images.
        silhouette: of the clustering; None where it is not defined.
        silhouette_interval: 95 %, for these clusters over other images.
        coverage: of the hint points, with its 95 % interval and what to compare it with.
        half_widths: (L, L) of the similarities' 95 % intervals; not part of the JSON.
    """

    metric: str
    method: str
    clusters: int
    layers: tuple[str, ...]
    centres: tuple[str, ...]
    hint_points: tuple[str, ...]
    images: int
    resamples: int
    share: float
    frequency: dict[str, float]
    agreement: float
    agreement_range: tuple[float, float]
    agreement_between_metrics: dict[str, float]
    silhouette: float | None
    silhouette_interval: tuple[float, float] | None
    coverage: CoverageReport
    half_widths: np.ndarray | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return all but `half_widths` as plain JSON values."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        del plain["half_widths"]
        plain["coverage"] = asdict(self.coverage)
        return _listed(plain)

    @staticmethod
    def from_dict(plain: dict[str, Any], half_widths: np.ndarray | None = None) -> Stability:
        """Build it from `as_dict`'s result, read from JSON or not."""
        covered = CoverageReport(**_tupled(plain["coverage"]))
        return Stability(**_tupled(plain) | {"coverage": covered, "half_widths": half_widths})

    def save(self, path: Path) -> None:
        """Write it as .npz without pickled objects.

        Raises:
            StorageError: the file cannot be written.
        """
        arrays = {"report": json.dumps({"format": FORMAT, **self.as_dict()})}
        if self.half_widths is not None:
            arrays["half_widths"] = self.half_widths
        write_atomic(path, lambda file: np.savez(file, **arrays))

    @staticmethod
    def load(path: Path) -> Stability:
        """Read what `save` wrote.

        Raises:
            InputError: no such file, or one of another format.
        """
        arrays = read_npz(path, what="a stability")
        try:
            plain = json.loads(str(arrays["report"]))
            if (found := plain.pop("format")) != FORMAT:
                raise InputError(f"`{path}` must have format {FORMAT}: found {found}; measure it again")
            return Stability.from_dict(plain, arrays.get("half_widths"))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"`{path}` must hold a stability: {error}; measure it again") from None


def _listed(plain: Any) -> Any:
    """Return the same with lists for tuples, as JSON has them."""
    if isinstance(plain, dict):
        return {key: _listed(value) for key, value in plain.items()}
    return list(plain) if isinstance(plain, tuple) else plain


def _tupled(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}
