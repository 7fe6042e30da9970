"""The Similarity page's third view: the teacher's layers against those of a student that it taught."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import analyses, cached, downloads, failures, matrices, pair, state
from app.bound import bound
from app.chrome import card, dark, draw, short
from pursuhint.analysis import AnalysisFolder
from pursuhint.analysis.cross import check_taught, run_pairs, student_settings
from pursuhint.errors import PursuhintError
from pursuhint.figures import cross_heatmap
from pursuhint.runs import RunFolder, list_runs
from pursuhint.similarity import METRICS

KEY = "heatmap-student"


def student(analysis: AnalysisFolder) -> None:
    """Draw the cross matrix of the teacher and a run's student, or what it takes to get it."""
    run = _choose(analysis)
    if run is None:
        return
    with failures.shown():
        check_taught(run, analysis)
        settings = student_settings(run, analysis)
        found = analyses.wanted(
            settings,
            f"{short(settings.teacher)}, the student of {run.run_settings.title}",
            ask="Compare them",
            why=f"The student is to see the same {analysis.card.samples:,} probe images first, in a "
            "process of its own; what it puts out is kept.",
            key="student",
        )
        if found:
            _draw(analysis, found, run)


def _choose(analysis: AnalysisFolder) -> RunFolder | None:
    """Draw the choice of the run, those of this teacher that are finished first."""
    mine, runs = state.get(), list_runs()
    if not runs:
        with st.container(border=True):
            st.markdown("**No student was trained yet.**")
            st.caption("Distil one; when it is finished, its layers can be compared with the teacher's.")
            st.page_link("../pages/distill.py", label="Go to Distill →")
        return None
    fits = {run.id: _fits(run, analysis) for run in runs}
    ordered = sorted(runs, key=lambda run: not fits[run.id])
    names = {run.id: _name(run, fits[run.id]) for run in ordered}
    chosen = mine.beside.run if mine.beside.run in names else ordered[0].id
    tie = bound("student-run", chosen, lambda name: mine.compare(run=name))
    st.selectbox("Run", list(names), format_func=names.__getitem__, width=560, **tie)
    return next(run for run in ordered if run.id == chosen)


def _fits(run: RunFolder, analysis: AnalysisFolder) -> bool:
    try:
        check_taught(run, analysis)
        return run.student.is_file()
    except PursuhintError:
        return False


def _name(run: RunFolder, fits: bool) -> str:
    try:
        title = run.run_settings.title
    except PursuhintError:
        return f"{run.id} (cannot be read)"
    state = "" if fits else " (another teacher, or not finished)"
    return f"{title} · {run.id[:15]}{state}"


def _draw(teacher: AnalysisFolder, learner: AnalysisFolder, run: RunFolder) -> None:
    metric = state.get().choice.metric
    cross = cached.cross(teacher, learner, metric)
    pairs = [(one.hint, one.guided) for one in run_pairs(run, learner)]
    first = pairs[0] if pairs and pairs[0][0] in cross.rows else (cross.rows[0], cross.columns[0])
    chosen = pair.chosen(cross.rows, cross.columns, first)
    title, file = METRICS[metric].title, f"{run.id}-{metric}"
    ringed = "; rings: the pairs of the run" if pairs else ""
    left, right = st.columns([3, 2])
    with left, card(title, f"teacher down, student across, {cross.samples:,} images{ringed}", fill=True):
        look = {"pairs": pairs, "clickable": True, "picked": chosen, "dark": dark()}
        figure = cross_heatmap(cross.values, cross.rows, cross.columns, metric=title, **look)
        draw(figure, KEY, f"Heatmap of {title}, layers of teacher and student", **pair.picked(KEY))
        frame = pd.DataFrame(cross.values, index=cross.rows, columns=cross.columns)
        files = {"figure": figure, "picture": KEY, "table": frame, "index": True, "arrays": cross}
        downloads.offer(KEY, file, **files)
    notes = [cached.similarity(one, metric, None).notes for one in (teacher, learner)]
    with right:
        sides = tuple(
            (f"{whose}: ", {layer.name: layer for layer in one.layers}.get(name), known.get(name))
            for whose, one, name, known in zip(
                ("teacher", "student"), (teacher, learner), chosen, notes, strict=True
            )
        )
        facts = lambda: cached.cross_pair(teacher, learner, metric, chosen)  # noqa: E731
        pair.explain(cross.rows, cross.columns, chosen, facts, sides, file)
    with card("Layer by layer", "how far its row or column can be trusted"):
        tables = [matrices.layer_table(one) for one in notes]
        for table, whose in zip(tables, ("teacher", "student"), strict=True):
            table.insert(0, "network", whose)
        matrices.draw_layers(pd.concat(tables), file)
