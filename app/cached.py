"""Cached library calls, two lines each; an analysis counts as the same while its identity is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import silhouette_curve
from pursuhint.comparison import PlanCoverage, beside_presets
from pursuhint.hints import choose_hints
from pursuhint.home import runs_folder
from pursuhint.plan import HintPlan
from pursuhint.probe import ask_proposals, ask_student
from pursuhint.runs import RunIndex
from pursuhint.runs.report_card import ReportCard
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


@keep(4)
def _index(folder: str) -> RunIndex:
    return RunIndex(Path(folder))


def runs() -> RunIndex:
    """Return what is known of all runs, shared by all visitors."""
    return _index(str(runs_folder()))


def summaries() -> tuple[list[dict[str, Any]], list[str]]:
    """Return the summaries of all runs, newest first, and why some cannot be read."""
    return runs().summaries()


@keep(32)
def report_card(path: str, written: int) -> ReportCard:
    return ReportCard.load(Path(path))
