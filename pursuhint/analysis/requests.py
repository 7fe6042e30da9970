"""Asking for an analysis, finding the ones that are there, and the key by which equal content is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pursuhint.analysis.folder import FLATTEN, AnalysisFolder
from pursuhint.analysis.settings import AnalysisSettings
from pursuhint.home import analyses_folder
from pursuhint.plan import TeacherRef
from pursuhint.similarity.minibatch_hsic import BATCH, FEWEST

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
    if analysis.is_ready and analysis.test_score and not analysis.damaged():
        return analysis
    if not analysis.is_live():
        analysis.write_settings(settings.model_dump(mode="json"))
        analysis.start(WORKER, threads=settings.threads)
    return analysis


def list_analyses(folder: Path | None = None) -> list[AnalysisFolder]:
    """Return all analyses that were ever asked for, the latest first.

    Args:
        folder: where analyses are kept; the user's data folder when None.
    """
    base = folder or analyses_folder()
    found = [p for p in base.glob("[!.]*") if (p / "settings.json").is_file()] if base.is_dir() else []
    return [AnalysisFolder(p) for p in sorted(found, key=lambda p: -(p / "settings.json").stat().st_mtime_ns)]


def content_key(
    teacher: TeacherRef, data_id: str, ids: np.ndarray, layers: Sequence[str], pooling: str
) -> str:
    """Return the key of what a pass over the probe images yields: 16 hexadecimal digits.

    Args:
        teacher: its weights' hash and its preprocessing count, not where the file lies.
        data_id: hash of the data set's content.
        ids: the probe images, in their order.
        layers: names in depth order.
        pooling: how feature maps become rows; of `flatten` the partition into minibatches is part.
    """
    partition = [BATCH, FEWEST] if pooling == FLATTEN else []
    parts = [teacher.hash, teacher.preprocess, data_id, ids.tolist(), list(layers), pooling, partition]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
