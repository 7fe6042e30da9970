"""The head of a run: what it is, and what can be done with it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, downloads, failures, launch, teachers
from app.chrome import header, short
from app.runs import choice
from app.words import plain, prose
from pursuhint.jobs import LIVE
from pursuhint.jobs.stopping import stop_soon
from pursuhint.origin import origin
from pursuhint.runs import RunFolder, delete_runs
from pursuhint.runs.labels import LONGEST_NAME
from pursuhint.training.command import train_command
from pursuhint.training.settings import RunSettings

COLOURS = {
    "queued": "gray",
    "running": "violet",
    "stopping": "orange",
    "stopped": "orange",
    "finished": "green",
    "failed": "red",
    "lost": "red",
}
"""State -> colour of its badge."""


def draw(run: RunFolder, summary: dict[str, Any], tags: list[str]) -> None:
    """Draw the head of a run; `tags` are those that other runs have."""
    settings, now = run.run_settings, summary["state"]
    path = [short(settings.plan.teacher.spec)] if settings.plan else []
    facts = [
        plain(" → ".join([*path, short(settings.student)])),
        plain(settings.data.partition(":")[0]),
        f"seed {settings.seed}",
    ]
    words = " ".join(f":gray-badge[{plain(tag)}]" for tag in summary["tags"])
    with header(summary["name"], f":{COLOURS[now]}-badge[{now}] {' · '.join(facts)} {words}"):
        _deeds(run, summary, settings, tags)
    if settings.plan and settings.hint_loss != "none":
        points = plain(", ".join(settings.plan.hint_points))
        st.caption(f"Hint points {points}: {plain(origin(settings.plan))}")
    if begun := cached.runs().history(run).facts.get("start", {}).get("beginning"):
        st.caption(prose(f"It {begun['text']}"))
    if now in ("failed", "lost"):
        failures.show(f"{now}: {summary['reason']}")
    elif now in ("queued", "stopped") and summary["reason"]:
        st.caption(prose(summary["reason"]))


def _deeds(run: RunFolder, summary: dict[str, Any], settings: RunSettings, tags: list[str]) -> None:
    now = summary["state"]
    with st.popover("Name", icon=":material/edit:"):
        _labels(run, summary, tags)
    with st.popover("Share", icon=":material/link:"):
        st.caption("This page, for another browser on this machine")
        st.code(choice.link(), language=None, wrap_lines=True)
        if settings.plan:
            st.caption("The same training as a command, with the plan in plan.json")
            st.code(launch.command(settings), language="bash", wrap_lines=True)
        else:
            st.caption("The same training as a command")
            st.code(train_command(settings), language="bash", wrap_lines=True)
    if now in LIVE:
        off = now == "stopping"
        st.button(
            "Stop", on_click=stop_soon, args=(run,), disabled=off, key="run-stop", icon=":material/stop:"
        )
    elif now != "finished":
        resume = failures.kept(run.launch)
        st.button("Resume", on_click=resume, key="run-resume", icon=":material/play_arrow:")
        if summary["epoch"]:
            st.button(
                "Finish",
                on_click=failures.kept(lambda: run.launch(finish=True) and None),
                key="run-finish",
                icon=":material/flag:",
                help="Train no further: measure the best student so far on the test images, and export it.",
            )
    if now not in LIVE and st.button("Delete", key="run-delete", icon=":material/delete:"):
        confirm_delete([run], summary["name"])
    if run.student.is_file():
        downloads.student(run)
        if settings.kind == "train":
            _offer_as_teacher(run)


def _offer_as_teacher(run: RunFolder) -> None:
    with st.container(width="content"), failures.shown():
        if st.button("Use as teacher →", key="run-use", type="primary"):
            teachers.use(run)
            st.switch_page("../pages/teacher.py")


def _labels(run: RunFolder, summary: dict[str, Any], tags: list[str]) -> None:
    """Let a run be called something else and be tagged; what it was started with stays as it is."""
    kept = run.labels
    called, tagged = f"run-name-{run.id}", f"run-tags-{run.id}"
    with st.form(f"labels-{run.id}", border=False):
        st.text_input(
            "Name", kept.name or summary["name"], max_chars=LONGEST_NAME, key=called, placeholder="as started"
        )
        st.multiselect(
            "Tags",
            sorted({*tags, *kept.tags}),
            list(kept.tags),
            key=tagged,
            accept_new_options=True,
            placeholder="Choose or type",
        )
        rename = failures.kept(lambda: relabel(run, st.session_state[called], st.session_state[tagged]))
        if st.form_submit_button("Save", on_click=rename, type="primary"):
            st.rerun()  # the table of runs shows them too


def relabel(run: RunFolder, name: str, tags: list[str]) -> None:
    """Give a run another name and other tags; its own first name is none that it was given."""
    run.label(name="" if name.strip() == run.run_settings.title else name, tags=tags)


@st.dialog("Delete for good?")
def confirm_delete(runs: list[RunFolder], what: str) -> None:
    """Ask before runs are removed for good."""
    both = "its" if len(runs) == 1 else "their"
    st.markdown(
        f"**{plain(what)}** with {both} curves, checkpoints and student will be removed from the disk."
    )
    with st.container(horizontal=True, horizontal_alignment="right"), failures.shown():
        if st.button("Keep"):
            st.rerun()
        if st.button("Delete for good", type="primary", key="run-delete-sure"):
            remove(runs)
            st.rerun()


def remove(runs: list[RunFolder]) -> None:
    """Delete runs and what was read of them."""
    delete_runs(runs)
    choice.forget([run.id for run in runs])
