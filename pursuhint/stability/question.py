"""What is asked when the stability of hint points is measured: all that the answer depends on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class StabilityQuestion:
    """The arguments of `measure_stability`, beside the images.

    Attributes:
        metric: key in ``METRICS``.
        method: key in ``METHODS``, or in ``PRESETS`` where `hint_points` are given.
        clusters: K.
        resamples: number of subsets of the images.
        seed: of everything random.
        hint_points: those in force; the centres of the clusters when None.
        metrics: others with whose clusterings to compare.
    """

    metric: str
    method: str
    clusters: int
    resamples: int = 100
    seed: int = 0
    hint_points: tuple[str, ...] | None = None
    metrics: tuple[str, ...] = ()

    def key(self) -> str:
        """Return the name under which the answer is kept: 12 hexadecimal digits.

        Example:
            >>> StabilityQuestion("r2_cca", "pursuhint", 3).key()
            '42687f4dc4de'
        """
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]
