"""Widgets of the first page: ask for an analysis, watch it, open an earlier one."""

from __future__ import annotations

import itertools
from pathlib import Path

import streamlit as st

from app import analyses, cached, current, failures, form_checks, fragments, state, train_one
from app.chrome import percent, several, short
from app.words import plain
from pursuhint.allowed import typed_path
from pursuhint.analysis import AnalysisFolder, AnalysisSettings, list_analyses, request_analysis
from pursuhint.analysis.settings import POOLINGS
from pursuhint.home import analyses_folder
from pursuhint.jobs import LIVE
from pursuhint.runs import RunFolder, find_run
from pursuhint.runs.as_teacher import as_teacher

DATA = ("digits", "cifar10:/path/to/data", "cifar100:/path/to/data", "folder:/path/to/images", "fake")
PREPROCESS = ("auto", "imagenet", "cifar10", "cifar100", "digits")
TABS, TRAIN, REOPEN = "teacher-tabs", "Train one", "Reopen"
MOST_TRAINED = 8
"""Runs that are offered as teachers; any other one's page does so, too."""


def another() -> None:
    """Draw the ways to another teacher; what takes a look at files is drawn only where it is asked for."""
    fresh, trained, earlier = st.tabs(["Analyse", TRAIN, REOPEN], key=TABS, on_change="rerun")
    with fresh, failures.shown():
        ask()
    if trained.open:
        with trained, failures.shown():
            train_one.draw(DATA, PREPROCESS)
    if earlier.open:
        with earlier, failures.shown():
            reopen()


def ask() -> None:
    """Draw the form that asks for an analysis."""
    with st.form("teacher-form", border=False):
        teacher = st.text_input(
            "Network",
            placeholder="zoo:resnet56",
            help="`zoo:`, `torchvision:`, `timm:` or `builtin:` and a name.",
        )
        weights = st.text_input(
            "Checkpoint", placeholder="/path/to/resnet56.th", help="A file on the machine that runs the app."
        )
        data = st.selectbox("Data", DATA, accept_new_options=True, help="Type your own path.")
        left, right = st.columns(2)
        preprocess = left.selectbox(
            "Preprocessing",
            PREPROCESS,
            accept_new_options=True,
            help="`auto` tries the known ones; or mean/std[/size], as in 0.5,0.5,0.5/0.2,0.2,0.2/64.",
        )
        samples = right.number_input(
            "Probe images",
            min_value=4,
            value=None,
            step=500,
            placeholder="10,000 or all",
            help="Training images.",
        )
        pooling = st.selectbox(
            "Pooling",
            POOLINGS,
            help="How what a layer puts out for one image becomes one row: its `mean` over positions (the "
            "paper), the means of a 2 × 2 or 4 × 4 `grid`, of a transformer's tokens, its class token; "
            "`flatten` takes everything and allows debiased CKA only.",
        )
        weak = st.checkbox(failures.WORDS["--allow-weak-teacher"])
        if st.form_submit_button("Analyse", type="primary", width="stretch"):
            settings = AnalysisSettings(
                teacher=teacher.strip(),
                weights=weights.strip() or None,
                data=(data or DATA[0]).strip(),
                preprocess=(preprocess or PREPROCESS[0]).strip(),
                samples=samples,
                pooling=pooling,
                allow_weak_teacher=weak,
            )
            if refused := form_checks.problems(settings):
                failures.show_fields(refused)
            else:
                state.get().watch(request_analysis(form_checks.resolved(settings)))
                st.rerun()  # the progress stands above this form


def reopen() -> None:
    """Draw the list of earlier analyses and the way to any other folder."""
    found = [folder for folder in list_analyses() if folder.is_ready or folder.is_live()]
    here = state.get().teacher or current.first()
    _trained()
    for folder in [AnalysisFolder(current.first()), *found]:
        if folder.path == here or not (folder.is_ready or folder.is_live()):
            continue
        with failures.shown(), st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(_describe(folder), width="stretch")
            if folder.is_ready:
                st.button("Open", key=f"open-{folder.path}", on_click=_open, args=(folder.path,))
            else:
                st.button("Watch", key=f"watch-{folder.path}", on_click=state.get().watch, args=(folder,))
    with st.form("folder-form", border=False):
        path = st.text_input("Folder of an analysis", placeholder="as made by `pursuhint analyse --out`")
        if st.form_submit_button("Open", width="stretch") and path.strip():
            _open(typed_path(path))
            st.rerun()


def _trained() -> None:
    """Offer the networks that were trained here last and that nobody has analysed yet."""
    finished = (one for one in cached.summaries()[0] if one["state"] == "finished")
    trained = (one for one in finished if one["settings"]["kind"] == "train")
    for summary in itertools.islice(trained, MOST_TRAINED):
        run = find_run(summary["id"])
        if AnalysisFolder(analyses_folder() / as_teacher(run).key()).is_ready:
            continue  # it is listed with the analyses
        with failures.shown(), st.container(horizontal=True, vertical_alignment="center", gap="small"):
            data = summary["settings"]["data"].partition(":")[0]
            reached = percent(summary["metrics"].get("test_accuracy"))
            st.markdown(
                f"**{plain(summary['name'])}**  \n:gray[:small[{plain(data)} · {reached} · trained here]]",
                width="stretch",
            )
            st.button("Use", key=f"use-{run.id}", on_click=use, args=(run,))


@failures.kept
def use(run: RunFolder) -> None:
    """Make the network that a run has trained the teacher, by an analysis that the Teacher page watches."""
    state.get().watch(request_analysis(as_teacher(run)))


def _describe(folder: AnalysisFolder) -> str:
    if folder.is_ready:
        card = cached.analysis(folder.path).card
        teacher, data, more = card.teacher.spec, card.data, f" · {several(card.samples, 'image')}"
    else:
        settings = folder.analysis_settings
        teacher, data, more = settings.teacher, settings.data, " · being analysed"
    return f"**{plain(short(teacher))}**  \n:gray[:small[{plain(data.partition(':')[0])}{more}]]"


@failures.kept
def _open(path: Path) -> None:
    state.get().open_teacher(cached.analysis(path))


def watch() -> None:
    """Show how far the watched analysis is; opens it when it is done."""
    path = state.get().watched
    if path is not None:
        fragments.follow(_watched, AnalysisFolder.is_live, AnalysisFolder(path), every=analyses.EVERY)


def _watched(folder: AnalysisFolder) -> None:
    mine = state.get()
    if mine.watched != folder.path:
        st.rerun()  # another one is watched now, or none, or this one was opened
    last = folder.last_state()
    name = plain(short(folder.analysis_settings.teacher))
    with st.container(border=True):
        if last["state"] in LIVE:
            analyses.draw(folder, name, key="analysis")
        elif folder.is_ready and last["state"] == "finished":
            with failures.shown():
                mine.open_teacher(cached.analysis(folder.path))
                st.rerun()
        else:
            if folder.is_ready:
                st.button("Open as it is", on_click=_open, args=(folder.path,), key="open-unfinished")
            again = failures.kept(lambda: mine.watch(request_analysis(folder.analysis_settings)))
            analyses.ended(folder, name, again=again, close=mine.unwatch)
