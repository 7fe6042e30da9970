"""The Explain switch: formula, reading help and source, at the place where they are needed."""

from __future__ import annotations

import streamlit as st

from app import state
from app.bound import bound
from pursuhint.explanations import Explanation, explanation

PARAMETER = "explain"
"""In the address while the switch is on."""
LOOK = """<style>
[class*=st-key-explain-] {{border-left: 3px solid {accent}; padding-left: 0.9rem}}
[class*=st-key-explain-] .katex-display {{margin: 0; padding: 0.4rem 0; text-align: left}}
[class*=st-key-explain-] .katex-display {{overflow: auto hidden}}
[class*=st-key-explain-] .katex-display > .katex {{text-align: left}}
</style>"""


def follow_address() -> None:
    """Switch explanations on where the address of a new visit says so; later keep the address true."""
    mine = state.get()
    if mine.explains is None:
        mine.explains = st.query_params.get(PARAMETER) == "1"
    if mine.explains:
        st.query_params[PARAMETER] = "1"
    else:
        st.query_params.pop(PARAMETER, None)


def switch() -> None:
    """Draw the switch, and the looks of what it shows."""
    mine = state.get()
    note = "Formula, reading help and source beside what they belong to, on every page."
    st.toggle("Explain", help=note, **bound("explain", bool(mine.explains), mine.explain))
    if mine.explains:
        accent = st.get_option(f"theme.{st.context.theme.type or 'light'}.primaryColor")
        st.html(LOOK.format(accent=accent))


def explain(*topics: str) -> None:
    """Explain topics of `pursuhint.explanations` here, while the switch is on.

    Raises:
        InputError: nothing is known of a topic.
    """
    if state.get().explains:
        for topic in topics:
            _draw(topic, explanation(topic))


def _draw(topic: str, about: Explanation) -> None:
    key = f"explain-{topic.replace(' ', '-').replace('+', '-')}"
    with st.container(key=key, gap="xsmall"):
        st.markdown(f":small[**{about.title}**]")
        if about.formula:
            st.latex(about.formula)
        source = f"  \n*Source: {about.source}.*" if about.source else ""
        st.caption(about.reading + source)
