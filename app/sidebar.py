"""The foot of the sidebar: the Explain switch, the teacher looked at, what is training, and the way out."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, current, explain, fragments
from app.access import door
from app.chrome import count, percent, several, short
from app.words import plain
from pursuhint.errors import PursuhintError
from pursuhint.jobs import LIVE

FOOT = """<style>
[data-testid=stSidebarContent] {display: flex; flex-direction: column}
[data-testid=stSidebarUserContent] {margin-top: auto; overflow-wrap: anywhere}
[data-testid=stSidebarUserContent] p {
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden
}
</style>"""
"""Streamlit puts a sidebar's elements right below the navigation; this moves ours to its foot."""
EVERY = 2
"""Seconds between two looks at a live run."""


def draw() -> None:
    """Draw them at the bottom of the sidebar."""
    with st.sidebar:
        st.html(FOOT)
        explain.switch()
        _teacher()
        fragments.fragment(_run, every=EVERY if _live() else None)()
        door.way_out()


def _live() -> list[dict[str, Any]]:
    return [one for one in cached.summaries()[0] if one["state"] in LIVE]


def _teacher() -> None:
    try:
        analysis = current.analysis()
        score = analysis and analysis.test_score
    except PursuhintError:
        return  # the page says what is wrong with it
    if analysis is None:
        return
    card = analysis.card
    with st.container(border=True, gap=None):
        st.markdown(f"**{plain(short(card.teacher.spec))}** :gray[· {plain(card.data.partition(':')[0])}]")
        facts = [percent(score["accuracy"])] if score else []
        facts += [count(card.parameters), several(len(analysis.layers), "layer")]
        st.caption(" · ".join(facts))


def _run() -> None:
    found = _live()
    if not found:
        return
    one = found[0]
    more = f" · {len(found) - 1} more" if len(found) > 1 else ""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{one['state']}** :gray[·] {plain(one['name'])}")
        st.caption(f"epoch {one['epoch']} / {one['epochs']}{more}")
        st.progress(one["epoch"] / one["epochs"])
