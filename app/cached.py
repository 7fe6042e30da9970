"""Cached library calls, two lines each; an analysis counts as the same while its identity is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from app import pictures
from pursuhint import figures
from pursuhint.analysis import AnalysisFolder, list_analyses
from pursuhint.analysis.cross import CrossMatrix, kept_cross_matrix
from pursuhint.analysis.progress import usual_seconds as usual
from pursuhint.clustering import silhouette_curve
from pursuhint.comparison import PlanCoverage, beside_presets
from pursuhint.disk_use import disk_use
from pursuhint.hints import choose_hints
from pursuhint.home import runs_folder
from pursuhint.image_view import image_view
from pursuhint.lesson import RealAndShuffled, Trainings, by_image_count, load_trainings, same_class_neighbours
from pursuhint.neighbours import Neighbour, nearest_images
from pursuhint.pair_facts import PairFacts, cross_pair_facts, pair_facts
from pursuhint.plan import HintPlan
from pursuhint.probe import ask_proposals, ask_student, ask_training_images
from pursuhint.runs import RunIndex
from pursuhint.runs.report_card import ReportCard
from pursuhint.similarity import SimilarityMatrix
from pursuhint.students import StudentCard, Target
from pursuhint.training.outlook import Outlook, ask_outlook
from pursuhint.training.settings import RunSettings
from pursuhint.view import LayerView

Keys = tuple[str | int, ...]


def stamp(path: Path) -> int:
    """Return when a file was last written, in ns; 0 when it is not there."""
    return path.stat().st_mtime_ns if path.is_file() else 0


def identity(analysis: AnalysisFolder) -> Keys:
    """Return what tells one analysis from another: place, teacher, data, images, layers, time."""
    card, written = analysis.card, stamp(analysis.path / "analysis.json")
    layers = ",".join(layer.name for layer in analysis.layers)
    return str(analysis.path), card.teacher.hash, card.data_id, card.samples, card.pooling, layers, written


def print_of(view: LayerView) -> str:
    """Return what tells one drawing of layers from another."""
    return json.dumps(view.to_dict(), sort_keys=True)


def keep(most: int, spinner: str | bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keep results for all visitors; they are shared, so nobody changes them."""
    hashes = {AnalysisFolder: identity, HintPlan: HintPlan.model_dump_json, Target: repr, LayerView: print_of}
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


@keep(64)
def silhouette_figure(
    analysis: AnalysisFolder, metric: str, method: str, samples: int | None, *, chosen: int, dark: bool
) -> go.Figure:
    curve = silhouettes(analysis, metric, method, samples)
    return figures.silhouette_bars(curve, chosen=chosen, dark=dark).update_xaxes(title_text="")


@keep(128, "Choosing hint points …")
def plan(analysis: AnalysisFolder, metric: str, method: str, clusters: int, samples: int | None) -> HintPlan:
    return choose_hints(analysis, metric=metric, method=method, clusters=clusters, samples=samples)


@keep(64)
def heatmap(view: LayerView, *, picked: tuple[str, str], dark: bool) -> go.Figure:
    return figures.heatmap(view, clickable=True, picked=picked, dark=dark)


@keep(64)
def _coverages(
    analysis: AnalysisFolder, plan: HintPlan, samples: int | None, written: int
) -> tuple[PlanCoverage, ...]:
    left_out = analysis.kept_left_out(plan.metric, samples=samples)
    return beside_presets(analysis, plan, samples=samples, left_out=left_out)


def coverages(analysis: AnalysisFolder, plan: HintPlan, samples: int | None) -> tuple[PlanCoverage, ...]:
    written = stamp(analysis.left_out_file(plan.metric, samples=samples))
    return _coverages(analysis, plan, samples, written)


@keep(8)
def _images(analysis: AnalysisFolder, written: int) -> dict[str, Any] | None:
    names = [layer.name for layer in analysis.layers]
    maps = [analysis.image_maps.load(name) for name in names]
    if any(one is None for one in maps):
        return None
    labels, answers = (analysis.probe[key][: analysis.mapped] for key in ("labels", "predictions"))
    view = image_view(names, maps, labels, answers, analysis.card.classes)
    return view.to_dict() | pictures.sprite(analysis.thumbnails)


def images(analysis: AnalysisFolder) -> dict[str, Any] | None:
    """Return the drawing of the probe images at all layers; None while maps are missing."""
    return _images(analysis, analysis.image_maps.stamp())


@keep(128)
def _image_map(analysis: AnalysisFolder, layer: str, dark: bool, written: int) -> go.Figure | None:
    positions = analysis.image_maps.load(layer)
    if positions is None:
        return None
    labels = analysis.probe["labels"][: len(positions)]
    return figures.image_map(positions, [analysis.card.classes[label] for label in labels], dark=dark)


def image_map(analysis: AnalysisFolder, layer: str, *, dark: bool) -> go.Figure | None:
    """Return the map of the probe images at a layer; None while it is missing."""
    return _image_map(analysis, layer, dark, analysis.image_maps.stamp())


@keep(256)
def neighbours(analysis: AnalysisFolder, layer: str, image: int) -> tuple[Neighbour, ...]:
    return nearest_images(analysis.features(layer)[: analysis.mapped], image)


@keep(128)
def pair(analysis: AnalysisFolder, metric: str, samples: int | None, layers: tuple[str, str]) -> PairFacts:
    return pair_facts(analysis, *layers, metric=metric, samples=samples)


@keep(16, "Comparing the layers …")
def cross(teacher: AnalysisFolder, student: AnalysisFolder, metric: str) -> CrossMatrix:
    return kept_cross_matrix(teacher, student, metric)


@keep(64)
def cross_pair(
    teacher: AnalysisFolder, student: AnalysisFolder, metric: str, layers: tuple[str, str]
) -> PairFacts:
    return cross_pair_facts(teacher, student, cross(teacher, student, metric), *layers)


@st.cache_data(ttl=60, show_spinner=False)
def usual_seconds() -> dict[str, float]:
    """Return what the stages of an analysis took lately on this machine."""
    return usual(folder.journal.read()[0] for folder in list_analyses()[:5])


@keep(64, "Looking at the student …")
def student(spec: str, classes: int, image_shape: tuple[int, int, int]) -> StudentCard:
    return ask_student(spec, classes, image_shape)


@keep(64, "Looking at the student …")
def student_with(
    spec: str, classes: int, image_shape: tuple[int, int, int], guided: tuple[str, ...]
) -> StudentCard:
    return ask_student(spec, classes, image_shape, guided)


@keep(16, "Counting the images …")
def training_images(data: str, data_id: str) -> int:
    return ask_training_images(data, data_id)


@keep(32, "Looking at the network …")
def _outlook(settings: str, written: int) -> Outlook:
    return ask_outlook(RunSettings.model_validate_json(settings))


def outlook(settings: RunSettings) -> Outlook:
    """Return what a training would be; epochs, rates and the name do not change that."""
    same = {"epochs": 1, "learning_rate": 1.0, "name": "", "recipe": None, "seed": 0}
    written = stamp(Path(settings.init)) if settings.init else 0
    return _outlook(settings.model_copy(update=same).model_dump_json(), written)


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


@st.cache_data(ttl=60, show_spinner=False)
def disk() -> str:
    """Return what the data folder takes, in words; a minute old at most."""
    return disk_use().text


@keep(32)
def report_card(path: str, written: int) -> ReportCard:
    return ReportCard.load(Path(path))


@keep(2, "Looking for neighbours …")
def class_neighbours(analysis: AnalysisFolder) -> dict[str, float]:
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
