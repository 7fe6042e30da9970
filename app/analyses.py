"""An analysis that is being made: its stages, the time left, the way to end it and to begin again."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import cached, failures, fragments
from app.words import plain
from pursuhint.analysis import AnalysisFolder, AnalysisSettings, request_analysis
from pursuhint.analysis.progress import StageProgress
from pursuhint.home import analyses_folder
from pursuhint.jobs.stopping import stop_soon
from pursuhint.progress import duration

EVERY = 1
"""Seconds between two looks at an analysis that is being made."""
ICONS = {"done": "check_circle", "current": "pending", "to come": "radio_button_unchecked"}
SHORTEST = 1.0
"""Seconds from which the duration of a stage that is done is shown."""


def draw(folder: AnalysisFolder, name: str, *, key: str) -> None:
    """Draw the stages of a live analysis, the time left and the button that ends it."""
    found = folder.progress(usual=cached.usual_seconds())
    stopping = folder.last_state()["state"] == "stopping"
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(
            f"**{plain(name)}**&ensp;:gray[{'being ended' if stopping else found.time_left}]", width="stretch"
        )
        st.button("Cancel", on_click=stop_soon, args=(folder,), disabled=stopping, key=f"cancel-{key}")
    st.progress(found.share)
    st.markdown("  \n".join(_line(stage) for stage in found.stages))


def _line(stage: StageProgress) -> str:
    title = f"**{stage.title}**" if stage.standing == "current" else stage.title
    if stage.standing == "to come":
        title = f":gray[{title}]"
    aside = ""
    if stage.standing == "current" and stage.total:
        aside = f"{stage.done:,} of {stage.total:,} images"
    elif stage.standing == "done" and stage.seconds >= SHORTEST:
        aside = duration(stage.seconds)
    colour = {"done": "green", "current": "violet", "to come": "gray"}[stage.standing]
    words = f"&ensp;:gray[:small[{aside}]]" if aside else ""
    return f":{colour}[:material/{ICONS[stage.standing]}:]&ensp;{title}{words}"


def wanted(settings: AnalysisSettings, name: str, *, ask: str, why: str, key: str) -> AnalysisFolder | None:
    """Return an analysis once its features are there; until then draw what it takes to get it.

    Args:
        settings: of the analysis.
        name: what it is of, for people.
        ask: label of the button that starts it.
        why: what it is needed for.
        key: of the widgets.
    """
    folder = AnalysisFolder(analyses_folder() / settings.key())
    if folder.is_ready:
        return cached.analysis(folder.path)
    begun = folder.journal.path.is_file()
    with st.container(border=True):
        if begun and folder.is_live():
            fragments.follow(lambda: draw(folder, name, key=key), lambda: _is_being_made(folder), every=EVERY)
            return None
        if begun:
            failures.show(f"{name} · {folder.last_state()['reason']}")
        st.caption(why)
        if st.button(ask, key=f"ask-{key}", icon=":material/play_arrow:"):
            request_analysis(settings)
            st.rerun()
    return None


def _is_being_made(folder: AnalysisFolder) -> bool:
    return folder.is_live() and not folder.is_ready


def ended(folder: AnalysisFolder, name: str, *, again: Callable[[], None], close: Callable[[], None]) -> None:
    """Say how an analysis ended that did not come to its end, and offer to go on with it."""
    last = folder.last_state()
    failures.show(f"{name} · {last['state']}: {last['reason']}")
    if folder.is_ready:
        st.caption("Its layers were read and are kept; going on does the rest only.")
    with st.container(horizontal=True, gap="small"):
        st.button("Go on" if folder.is_ready else "Analyse again", on_click=again, key="again-analysis")
        st.button("Close", on_click=close, key="close-analysis")
