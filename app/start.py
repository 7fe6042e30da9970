"""The Start card of the Distill page: a dry run, the start, and the same from elsewhere."""

from __future__ import annotations

import streamlit as st

from app import downloads, failures, launch, state
from app.chrome import folded, several
from pursuhint.dry_run import DryRun, ask_dry_run
from pursuhint.files import in_bytes
from pursuhint.plan import HintPlan
from pursuhint.runs.pace import in_words
from pursuhint.training.settings import RunSettings


def tried(wanted: RunSettings | None) -> DryRun | None:
    """Return what the last dry run told, if it was of these settings; their name does not count."""
    kept = state.get().tried
    return kept[1] if kept and wanted and _nameless(kept[0]) == _nameless(wanted) else None


def _nameless(settings: RunSettings) -> RunSettings:
    return settings.model_copy(update={"name": ""})


def draw(wanted: RunSettings | None, plan: HintPlan) -> None:
    """Draw what starts a run.

    Args:
        wanted: its settings; None while they cannot be used.
        plan: the hint points.
    """
    st.caption("It runs in a process of its own: closing this tab or stopping the app leaves it running.")
    mine, found = state.get(), tried(wanted)
    with st.container(horizontal=True):
        st.button(
            "Dry run",
            icon=":material/speed:",
            help="Takes the first steps for real and keeps nothing: what would fail, and how long it takes.",
            key="dry-run",
            disabled=not wanted,
            on_click=_ask,
        )
        button("Start distillation", "start", wanted)
    if wanted and mine.asked_dry_run:
        _try(wanted)
    if wanted and found:
        _tell(wanted, found)
    if wanted:
        _elsewhere(wanted, plan)


def button(label: str, key: str, wanted: RunSettings | None) -> None:
    """Draw the button that starts a run, however often it is pressed one, and goes to the run's page.

    Args:
        label: of the button.
        key: begins that of the button.
        wanted: settings of the run; None while they cannot be used.
    """
    mine, look = state.get(), {"type": "primary", "width": "stretch", "icon": ":material/play_arrow:"}
    ticket = mine.ticket
    if st.button(label, key=f"{key}-{ticket}", disabled=wanted is None, **look):
        run = mine.launch(ticket, lambda: launch.start(wanted))
        st.switch_page("../pages/runs.py", query_params={"run": run})


def _ask() -> None:
    state.get().asked_dry_run = True


def _try(wanted: RunSettings) -> None:
    """Do the dry run and draw the page anew, its numbers in their places."""
    mine = state.get()
    mine.asked_dry_run = False
    with st.spinner("Taking the first steps …", show_time=True):
        mine.tried = (wanted, ask_dry_run(wanted))
    st.rerun()


def _tell(wanted: RunSettings, found: DryRun) -> None:
    """Draw what a dry run told of the whole run."""
    whole = found.run_seconds(wanted.epochs)
    with st.container(horizontal=True, gap="medium", key="dry-run-told"):
        note = f"{several(found.steps, 'step')} of {1e3 * found.step_seconds:.0f} ms"
        if found.teacher_seconds:
            note += f", {100 * found.teacher_seconds / found.step_seconds:.0f} % of it the teacher's"
        st.metric("an epoch", in_words(found.epoch_seconds), width="content", help=f"{note}; then scoring.")
        note = f"{in_words(found.ready_seconds)} of it until the first step."
        st.metric(several(wanted.epochs, "epoch"), in_words(whole), width="content", help=note)
        st.metric("memory", in_bytes(found.peak_bytes), width="content", help=f"At most, on {found.device}.")
        if found.adapter_parameters:
            note = "Parameters of the adapters: trained with the student, dropped at export."
            st.metric("in adapters", f"{found.adapter_parameters:,}", width="content", help=note)
    failures.warn(*found.warnings)


def _elsewhere(wanted: RunSettings, plan: HintPlan) -> None:
    """Draw the same run as a command and in Python, and the plan that both begin with."""
    if not (box := folded("The same from elsewhere", "elsewhere", ":material/terminal:")):
        return
    with box:
        command, python = st.tabs(["Command line", "Python"])
        command.code(launch.command(wanted), language="bash")
        python.code(launch.python(wanted), language="python")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Both begin with the plan:")
            downloads.plan(lambda: plan)
