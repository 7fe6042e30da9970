"""Analyses of one teacher on the same images that differ in the pooling alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

import numpy as np

from pursuhint.analysis.folder import AnalysisFolder
from pursuhint.analysis.requests import list_analyses
from pursuhint.analysis.settings import POOLINGS, AnalysisSettings
from pursuhint.errors import PursuhintError
from pursuhint.layers import Layer

OF_TOKENS = ("token_mean", "cls")


def poolings_of(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return the poolings that fit all of the layers: those of tokens only where all put out tokens.

    Example:
        >>> poolings_of([Layer("b0", "Block", (16, 8, 8), 0, 0)])
        ('mean', 'grid2', 'grid4', 'flatten')
    """
    tokens = all(len(layer.shape) == 2 for layer in layers)
    return tuple(name for name in POOLINGS if tokens or name not in OF_TOKENS)


def find_sibling(
    analysis: AnalysisFolder, pooling: str, *, among: Iterable[AnalysisFolder] | None = None
) -> AnalysisFolder | None:
    """Return an analysis of the same teacher, images and layers with another pooling, if there is one.

    Args:
        analysis: the one at hand.
        pooling: name of the other pooling.
        among: where to look; all analyses of the user when None.
    """
    card, names = analysis.card, [layer.name for layer in analysis.layers]
    for folder in list_analyses() if among is None else among:
        with suppress(PursuhintError):
            if not folder.is_ready or folder.card.pooling != pooling or folder.card.samples != card.samples:
                continue
            same = (folder.card.teacher.hash, folder.card.data_id) == (card.teacher.hash, card.data_id)
            if not same or [layer.name for layer in folder.layers] != names:
                continue
            if np.array_equal(folder.probe["ids"], analysis.probe["ids"]):
                return folder
    return None


def sibling_settings(analysis: AnalysisFolder, pooling: str) -> AnalysisSettings:
    """Return the settings that analyse the same teacher on the same images with another pooling."""
    return analysis.analysis_settings.model_copy(
        update={
            "pooling": pooling,
            "samples": analysis.card.samples,
            "preprocess": analysis.card.teacher.preprocess,
            "allow_weak_teacher": True,  # it was allowed before, or it is not weak
        }
    )
