"""Cached library calls, two lines each; an analysis counts as the same while its identity is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import silhouette_curve
from pursuhint.comparison import PlanCoverage, beside_presets
from pursuhint.errors import PursuhintError
from pursuhint.hints import choose_hints
from pursuhint.jobs import LIVE
from pursuhint.lesson import RealAndShuffled, Trainings, by_image_count, load_trainings, same_class_neighbours
from pursuhint.plan import HintPlan
from pursuhint.probe import ask_proposals, ask_student
from pursuhint.runs import RunFolder, list_runs
from pursuhint.similarity import SimilarityMatrix
from pursuhint.students import StudentCard, Target

Keys = tuple[str | int, ...]


def stamp(path: Path) -> int:
    """Return when a file was last written, in ns; 0 when it is not there."""
    return path.stat().st_mtime_ns if path.is_file() else 0


def identity(analysis: AnalysisFolder) -> Keys:
    """Return what tells one analysis from another: place, teacher, data, images, layers, time."""
    card, written = analysis.card, stamp(analysis.path / "analysis.json")
    layers = ",".join(layer.name for layer in analysis.layers)
    return str(analysis.path), card.teacher.hash, card.data_id, card.samples, card.pooling, layers, written


def keep(most: int, spinner: str | bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keep results for all visitors; they are shared, so nobody changes them."""
    hashes = {AnalysisFolder: identity, HintPlan: HintPlan.model_dump_json, Target: repr}
    return st.cache_resource(max_entries=most, show_spinner=spinner, hash_funcs=hashes)


@keep(16)
def _analysis(path: str, written: int) -> AnalysisFolder:
    return AnalysisFolder.open(Path(path))


def analysis(path: Path) -> AnalysisFolder:
    return _analysis(str(path), stamp(path / "analysis.json"))


@keep(64, "Comparing the layers …")
def similarity(analysis: AnalysisFolder, metric: str, samples: int | None) -> SimilarityMatrix:
    return analysis.similarity(metric, samples=samples)


@keep(64, "Grouping the layers …")
def silhouettes(analysis: AnalysisFolder, metric: str, method: str, samples: int | None) -> dict[int, float]:
    return silhouette_curve(similarity(analysis, metric, samples), method=method)


@keep(128, "Choosing hint points …")
def plan(analysis: AnalysisFolder, metric: str, method: str, clusters: int, samples: int | None) -> HintPlan:
    return choose_hints(analysis, metric=metric, method=method, clusters=clusters, samples=samples)


@keep(64)
def coverages(analysis: AnalysisFolder, plan: HintPlan, samples: int | None) -> tuple[PlanCoverage, ...]:
    return beside_presets(analysis, plan, samples=samples)


@keep(64, "Looking at the student …")
def student(spec: str, classes: int, image_shape: tuple[int, int, int]) -> StudentCard:
    return ask_student(spec, classes, image_shape)


@keep(64, "Looking for students …")
def proposals(
    teacher_spec: str, classes: int, image_shape: tuple[int, int, int], target: Target
) -> tuple[StudentCard, ...]:
    return ask_proposals(teacher_spec, classes, image_shape, target)


@keep(512)
def _summary(path: str, written: int, length: int) -> dict[str, Any]:
    return RunFolder(Path(path)).summary()


def summary(run: RunFolder) -> dict[str, Any]:
    """Return a run's summary, read anew while it is live: a process can end without writing so."""
    journal = run.journal.path
    length = journal.stat().st_size if journal.is_file() else 0
    kept = _summary(str(run.path), stamp(journal), length)
    return run.summary() if kept["state"] in LIVE else kept


def summaries() -> tuple[list[dict[str, Any]], list[str]]:
    """Return the summaries of all runs, newest first, and why some cannot be read."""
    read, problems = [], []
    for run in list_runs():
        try:
            read.append(summary(run))
        except PursuhintError as error:
            problems.append(str(error))
    return read, problems


@keep(2, "Looking for neighbours …")
def neighbours(analysis: AnalysisFolder) -> dict[str, float]:
    """Return for each layer how many images have their nearest neighbour in their own class."""
    labels = analysis.probe["labels"]
    return {one.name: same_class_neighbours(analysis.features(one.name), labels) for one in analysis.layers}


@keep(64, "Comparing the layers …")
def by_images(
    analysis: AnalysisFolder, first: str, second: str, metric: str, counts: tuple[int, ...]
) -> RealAndShuffled:
    return by_image_count(analysis.features(first), analysis.features(second), counts, metric=metric)


@keep(1)
def trainings() -> Trainings:
    return load_trainings()
