"""Widgets that train a teacher: on one's own data, from random weights or with a new head on trained ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import cached, failures, form_checks, start, state
from app.bound import bound
from app.chrome import count, folded, several, shape
from app.limited import number
from app.own_teacher import OwnTeacher
from app.students import RECIPE_TITLES
from app.words import plain
from pursuhint.data.suggestions import suggested_teachers
from pursuhint.dry_run import ask_dry_run
from pursuhint.files import in_bytes
from pursuhint.runs.pace import in_words
from pursuhint.training.command import train_command
from pursuhint.training.outlook import Outlook
from pursuhint.training.settings import RunSettings

BEGIN = {"random": "Random", "file": "Checkpoint", "published": "Published"}
LEARN = {"slowly": "Fine-tune", "head": "Head only", "all": "All alike"}
NOTES = {
    "slowly": "The head learns at the full rate, all else at a tenth of it: fine-tuning.",
    "head": "All but the head is frozen, batch norm's statistics included: a linear probe, the quickest.",
    "all": "Everything learns at the same rate, a low one.",
}


def draw(datasets: tuple[str, ...], preprocesses: tuple[str, ...]) -> None:
    """Draw the form, what is known of the training, and the button that starts it.

    Args:
        datasets: data sets that are offered.
        preprocesses: preprocessings that are offered.
    """
    own = state.get().own
    st.caption("You have images but no network yet? Train one here; it is a run like any other.")
    _select("Data", "data", datasets, "`folder:` and a path: PATH/train/<class>/*, PATH/test/<class>/*.")
    _select("Network", "network", suggested_teachers(own.data), "Or type a name of zoo, torchvision or timm.")
    _beginning(own)
    _numbers(own)
    _more(own, preprocesses)
    with failures.shown():
        _start(own)


def _beginning(own: OwnTeacher) -> None:
    _choice("Weights to begin with", "begin", BEGIN)
    if own.begin == "random":
        return
    if own.begin == "published":
        st.caption("Those that torchvision or timm publish for this network, fetched once.")
    elif own.begin == "file":
        st.text_input(
            "Weight file",
            placeholder=form_checks.EXAMPLE,
            help="A file on the machine that runs the app. For other classes it gets a new head.",
            **_tie("weights"),
        )
    _choice("What learns", "learn", LEARN)
    st.caption(NOTES[own.learn])


def _numbers(own: OwnTeacher) -> None:
    if own.begin == "random":
        st.selectbox(
            "Recipe",
            list(RECIPE_TITLES),
            format_func=RECIPE_TITLES.__getitem__,
            **_tie("recipe"),
        )
    left, right = st.columns(2)
    with left:
        _number("Epochs", "epochs", least=1, step=1)
    with right:
        _number("Learning rate", "learning_rate", least=0.0001, step=0.01, format="%.4g")


def _more(own: OwnTeacher, preprocesses: tuple[str, ...]) -> None:
    if not (box := folded("More", "school-more", ":material/tune:")):
        return
    with box:
        _select(
            "Preprocessing",
            "preprocess",
            preprocesses,
            "`auto` takes what belongs to the weights, else what suits the data.",
        )
        left, right = st.columns(2)
        with left:
            _number("Batch size", "batch_size", least=2, step=16)
        with right:
            _number("Seed", "seed", least=0, step=1)
        st.text_input("Name", placeholder="network · no teacher", **_tie("name"))


def _start(own: OwnTeacher) -> None:
    """Say what the training would be, or what is in its way, and let it start."""
    wanted = None
    if refused := form_checks.training_problems(own):
        if own.network:  # an empty form is no mistake
            failures.show_fields(refused)
    else:
        with failures.shown():
            asked = own.settings()
            outlook = cached.outlook(asked)
            wanted = asked.model_copy(update={"student": outlook.network, "preprocess": outlook.preprocess})
            _draw_outlook(outlook)
            _time(wanted)
    start.button("Start training", "train", wanted)
    if wanted and (box := folded("The same from the command line", "school-command", ":material/terminal:")):
        box.code(train_command(wanted), language="bash", wrap_lines=True)


def _draw_outlook(outlook: Outlook) -> None:
    with st.container(horizontal=True, gap="medium"):
        st.metric("parameters", count(outlook.parameters), width="content")
        if outlook.trained_parameters != outlook.parameters:
            st.metric("of them learn", count(outlook.trained_parameters), width="content")
        st.metric("images", f"{outlook.images:,}", width="content")
        st.metric("classes", outlook.classes, width="content")
    st.caption(f"Images of {shape(outlook.image_shape)}, preprocessed as `{outlook.preprocess}`.")
    if outlook.beginning:
        st.caption(f"It {plain(outlook.beginning)}.")


def _time(wanted: RunSettings) -> None:
    """Say how long the training will take once its first steps were tried, else offer to try them."""
    same = {"name": "", "seed": 0, "epochs": 1, "recipe": None}  # a step takes as long, whatever they are
    mine, key = state.get(), wanted.model_copy(update=same).model_dump_json()
    if mine.own_tried is None or mine.own_tried[0] != key:
        if not st.button("How long will it take?", key="train-try", icon=":material/timer:", width="stretch"):
            return
        with st.spinner("Taking the first steps …"):
            mine.own_tried = key, ask_dry_run(wanted)
        st.rerun()  # without the button
    tried = mine.own_tried[1]
    whole, memory = in_words(tried.run_seconds(wanted.epochs)), in_bytes(tried.peak_bytes)
    st.markdown(
        f":material/timer: **about {whole}** for {several(wanted.epochs, 'epoch')} on {tried.device}"
        f"&ensp;:gray[:small[{memory} of memory]]"
    )
    failures.warn(*tried.warnings)


def _tie(field: str) -> dict[str, Any]:
    mine = state.get()
    return bound(f"own-{field}", getattr(mine.own, field), lambda value: mine.school(**{field: value}))


def _number(label: str, field: str, **shape: Any) -> None:
    mine = state.get()
    number(label, f"own-{field}", getattr(mine.own, field), lambda v: mine.school(**{field: v}), **shape)


def _choice(label: str, field: str, offered: Mapping[str, str]) -> None:
    st.segmented_control(
        label, list(offered), format_func=offered.__getitem__, required=True, width="stretch", **_tie(field)
    )


def _select(label: str, field: str, offered: tuple[str, ...], note: str) -> None:
    mine = state.get()
    value = getattr(mine.own, field)
    usual = getattr(OwnTeacher(), field) or None
    tie = bound(f"own-{field}", value or None, lambda chosen: mine.school(**{field: chosen or usual or ""}))
    names = list(dict.fromkeys([*offered, *([value] if value else [])]))
    st.selectbox(label, names, placeholder="Choose or type", accept_new_options=True, help=note, **tie)
