"""Widgets of the Distill page: the student, the pairs, the settings of the training."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached, failures, state
from app.bound import bound
from app.chrome import count, several, shape, short
from pursuhint.analysis import AnalysisFolder
from pursuhint.pairs import Pair, crossing, default_pairs, settle_pairs
from pursuhint.plan import HintPlan
from pursuhint.students import StudentCard, Target
from pursuhint.students.target import DEFAULT_COMPRESSION


def choose(analysis: AnalysisFolder) -> StudentCard:
    """Draw the choice of the student; returns what is known of it."""
    mine, suggested = state.get(), {one.spec: one for one in analysis.students}
    if not mine.recipe.student:
        mine.cook(student=_first(analysis))
    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        offered = {one.spec: one for one in _proposed(analysis)} | suggested
        tie = bound(
            "distill-student", mine.recipe.student, lambda spec: mine.cook(student=spec or _first(analysis))
        )
        st.selectbox(
            "Network",
            list(dict.fromkeys([*offered, mine.recipe.student])),
            format_func=lambda spec: _label(analysis, offered[spec]) if spec in offered else spec,
            accept_new_options=True,
            help="Or type a name, such as `zoo:resnet56?width=0.5` or `torchvision:resnet18`.",
            **tie,
        )
    spec, card = mine.recipe.student.strip(), analysis.card
    found = offered.get(spec)
    if found is None or found.flops is None:  # older analyses do not count them
        found = cached.student(spec, len(card.classes), card.input_shape)
    flops = card.flops or cached.student(card.teacher.spec, len(card.classes), card.input_shape).flops
    with st.container(horizontal=True, gap="medium"):
        st.metric("parameters", count(found.parameters), width="content")
        st.metric("compression", f"{card.parameters / found.parameters:.2f} ×", width="content")
        st.metric("FLOPs", count(found.flops), width="content", help="For one image; a multiply-add is two.")
        st.metric("FLOPs ratio", f"{flops / found.flops:.2f} ×", width="content")
        st.metric("layers", len(found.layers), width="content")
    if found.parameters > card.parameters:
        st.warning("This student is larger than its teacher.", icon=":material/warning:")
    return found


def _first(analysis: AnalysisFolder) -> str:
    """Return the suggestion that comes nearest to the compression which is aimed at first."""
    aim, size = Target(), analysis.card.parameters
    known = sorted(analysis.students, key=lambda one: aim.miss(size / one.parameters))
    return known[0].spec if known else "zoo:resnet20"


def _proposed(analysis: AnalysisFolder) -> tuple[StudentCard, ...]:
    """Draw the wanted compression; returns the proposals for it, unless the analysis suggests them anyway."""
    aim = state.get().recipe.compression
    tie = bound("distill-compression", aim, lambda ratio: _aim(analysis, ratio))
    note = "The nearest networks of the teacher's family are offered, and the very nearest is taken."
    st.number_input("Compression wanted", step=0.5, format="%.4g", width=140, help=note, **tie)
    return () if aim == DEFAULT_COMPRESSION else _proposals(analysis, aim)


def _aim(analysis: AnalysisFolder, compression: float) -> None:
    nearest = _proposals(analysis, compression)[0]
    state.get().cook(compression=compression, student=nearest.spec)


def _proposals(analysis: AnalysisFolder, compression: float) -> tuple[StudentCard, ...]:
    card = analysis.card
    return cached.proposals(card.teacher.spec, len(card.classes), card.input_shape, Target(compression))


def _label(analysis: AnalysisFolder, student: StudentCard) -> str:
    ratio = analysis.card.parameters / student.parameters
    return f"{short(student.spec)}  ·  {count(student.parameters)}  ·  {ratio:.1f} × smaller"


def pairs(analysis: AnalysisFolder, plan: HintPlan, student: StudentCard) -> tuple[Pair, ...]:
    """Draw the pairs with the shapes on both sides; returns those in force."""
    mine = state.get()
    known = {layer.name: layer for layer in student.layers}
    chosen = settle_pairs(
        default_pairs(plan.hint_points, plan.layers, student.layers),
        [pair for pair in plan.pairs if pair.guided in known],
        [Pair(hint, guided) for hint, guided in mine.guided.items()],
    )
    hints = {layer.name: layer for layer in analysis.layers}
    rows = pd.DataFrame(
        {
            "hint": [pair.hint for pair in chosen],
            "hint shape": [shape(hints[pair.hint].shape) for pair in chosen],
            "guided": [pair.guided for pair in chosen],
            "guided shape": [shape(known[pair.guided].shape) for pair in chosen],
        }
    )
    key = f"distill-pairs-{student.spec}-{mine.revision}"
    st.data_editor(
        rows,
        hide_index=True,
        disabled=["hint", "hint shape", "guided shape"],
        column_config={
            "hint": st.column_config.TextColumn("hint point (teacher)"),
            "hint shape": st.column_config.TextColumn("its shape"),
            "guided": st.column_config.SelectboxColumn(
                "guided layer (student)",
                options=list(known),
                required=True,
                help="Double-click to change it.",
            ),
            "guided shape": st.column_config.TextColumn("its shape"),
        },
        key=key,
        on_change=_paired,
        args=(key, chosen),
    )
    if crossing(chosen, plan.hint_points, list(known)):
        tie = bound("distill-crossing", mine.recipe.allow_crossing, lambda on: mine.cook(allow_crossing=on))
        st.checkbox(failures.WORDS["--allow-crossing"], **tie)
    return chosen


def _paired(key: str, chosen: tuple[Pair, ...]) -> None:
    for row, changes in st.session_state[key]["edited_rows"].items():
        if changes.get("guided"):
            state.get().guide(chosen[int(row)].hint, changes["guided"])


def training() -> None:
    """Draw the settings of the training."""
    left, right = st.columns(2)
    with left:
        _number("Epochs", "epochs", 1, 1)
        _number("Learning rate", "learning_rate", 0.0001, 0.01, format="%.4g")
        _number("CPU threads", "threads", 1, 1, placeholder="all")
    with right:
        _number("Batch size", "batch_size", 2, 16)
        _number("Seed", "seed", 0, 1)
        mine = state.get()
        tie = bound("distill-name", mine.recipe.name, lambda name: mine.cook(name=name.strip()))
        st.text_input("Name", placeholder="student · losses", **tie)


def _number(label: str, field: str, least: float, step: float, **more: str) -> None:
    mine = state.get()
    tie = bound(f"distill-{field}", getattr(mine.recipe, field), lambda value: mine.cook(**{field: value}))
    st.number_input(label, least, None, step=step, **more, **tie)


def summary(student: StudentCard) -> str:
    """Say in a few words what the next run is."""
    recipe = state.get().recipe
    losses = [loss for loss in (recipe.logit_loss, recipe.hint_loss) if loss != "none"]
    return (
        f"{short(student.spec)} · {' + '.join(losses) or 'labels only'} · {several(recipe.epochs, 'epoch')}"
    )
