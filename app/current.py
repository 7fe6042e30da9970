"""What the visitor looks at: the teacher's analysis, the plan, the drawing of the layers."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import cached, state
from app.choices import Choice
from pursuhint.allowed import typed_data, typed_path
from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder, list_analyses, request_analysis
from pursuhint.clustering import Clustering
from pursuhint.errors import InputError, PursuhintError
from pursuhint.home import analyses_folder
from pursuhint.plan import HintPlan
from pursuhint.runs import find_run
from pursuhint.runs.as_teacher import as_teacher
from pursuhint.similarity import SimilarityMatrix
from pursuhint.view import LayerView, Order, layer_view

VARIABLE = "PURSUHINT_ANALYSIS"
"""Names an analysis folder that is opened first, in place of the built-in teacher's."""
PARAMETER = "teacher"
"""In the address: the analysis that is looked at, when it is not the one opened first."""

OF_RUN = "run:"
"""In place of an analysis: the network that the run of this id has trained."""


def first() -> Path:
    """Return the folder of the analysis that a new visitor sees."""
    return Path(os.environ.get(VARIABLE) or BUILTIN_ANALYSIS).expanduser().resolve()


def follow_address() -> None:
    """Open the analysis that the address of a new visit names; later keep the address true."""
    mine, named = state.get(), st.query_params.get(PARAMETER)
    if named and named.startswith(OF_RUN):
        st.query_params.pop(PARAMETER)  # it is asked for once; the address of the analysis takes its place
        _follow_run(named.removeprefix(OF_RUN))
    elif mine.teacher is None and named:
        mine.open_teacher(cached.analysis(_named(named)))
    elif mine.teacher in (None, first()):
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = _reference(mine.teacher)


def _named(reference: str) -> Path:
    """Return the folder that an address names: one of the kept ones, or by its path any allowed one.

    Raises:
        InputError: it leads out of the folders that may be read.
    """
    if reference in (str(first()), str(BUILTIN_ANALYSIS)):  # whoever runs the app chose these
        return Path(reference)
    return typed_path(analyses_folder() / reference)  # an absolute path stands for itself


def _follow_run(identity: str) -> None:
    """Open the analysis of what a run has trained; one that is still to be made is watched."""
    mine, found = state.get(), request_analysis(as_teacher(find_run(identity)))
    if found.is_ready:
        mine.open_teacher(cached.analysis(found.path))
    else:
        analysis()  # the one opened first, which is looked at meanwhile
        mine.watch(found)


def _reference(path: Path) -> str:
    return path.name if path.parent == analyses_folder() else str(path)


def analysis() -> AnalysisFolder | None:
    """Return the current teacher's analysis; None when there is none to begin with.

    Raises:
        InputError: it is there and cannot be read.
    """
    mine = state.get()
    if mine.teacher is None and first().is_dir():
        mine.open_teacher(cached.analysis(first()))
    return cached.analysis(mine.teacher) if mine.teacher else None


def plan(analysis: AnalysisFolder) -> HintPlan:
    """Return the plan in force: the one edited under the present choice, else the automatic one."""
    mine = state.get()
    choice = mine.choice
    return mine.edited.get(choice) or cached.plan(analysis, **vars(choice))


def view(
    analysis: AnalysisFolder,
    plan: HintPlan,
    *,
    order: Order = "dendrogram",
    positions: np.ndarray | None = None,
) -> LayerView:
    """Return the drawing of the layers under a plan.

    Raises:
        InputError: the plan was made of other layers than the analysis has.
    """
    similarity = cached.similarity(analysis, plan.metric, state.get().choice.samples)
    return drawn(similarity, plan, order=order, positions=positions, described=analysis.layers)


def drawn(similarity: SimilarityMatrix, plan: HintPlan, **more: Any) -> LayerView:
    """Return the drawing of a matrix under a plan; `more` goes to `layer_view`."""
    grouped = Clustering(plan.method, plan.layers, plan.clusters, plan.centres, False, plan.silhouette)
    return layer_view(similarity, grouped, plan.hint_points, **more)


def check_drawable(analysis: AnalysisFolder, choice: Choice, plan: HintPlan | None) -> None:
    """Raise InputError unless a choice, and a plan that was changed under it, can be made and drawn."""
    automatic = cached.plan(analysis, **vars(choice))
    drawn(cached.similarity(analysis, choice.metric, choice.samples), plan or automatic)


def open_plan(text: bytes, name: str) -> HintPlan:
    """Take over a plan from a file and return it.

    Raises:
        InputError: it is no plan, was made for another teacher, for other layers or with too few images, or
            names a method that is not known or files that may not be read.
    """
    opened, teacher = HintPlan.from_text(text, source=name), analysis()
    if teacher is None:
        raise InputError("there is no teacher to compare the plan with; open one on the Teacher page")
    opened.check_teacher(teacher.card.teacher.hash)
    if opened.data != teacher.card.data:
        typed_data(opened.data)
    if opened.teacher.weights and opened.teacher.weights != teacher.card.teacher.weights:
        typed_path(opened.teacher.weights)
    used = len(opened.sample_ids)
    samples = used if used < teacher.card.samples else None
    check_drawable(teacher, Choice.of_plan(opened, samples), opened)
    state.get().adopt(opened, samples=samples)
    return opened


def teacher_accuracy(teacher_hash: str) -> float | None:
    """Return the test accuracy of the teacher with these weights, from whichever analysis has it."""
    folders = [AnalysisFolder(first()), AnalysisFolder(BUILTIN_ANALYSIS), *list_analyses()]
    for folder in folders:
        with suppress(PursuhintError):  # a damaged one tells nothing
            if folder.is_ready and folder.test_score:
                found = cached.analysis(folder.path)
                if found.card.teacher.hash == teacher_hash:
                    return found.test_score["accuracy"]
    return None
