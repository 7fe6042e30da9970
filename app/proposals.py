"""Students that are proposed for a wanted compression, and how they stand beside their teacher."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached, state
from app.bound import bound
from app.chrome import count, folded, short
from app.failures import kept
from pursuhint.analysis import AnalysisFolder
from pursuhint.probe import ask_latencies
from pursuhint.students import StudentCard, Target
from pursuhint.students.target import By

MEASURES = {"parameters": "parameters", "flops": "FLOPs"}
PROPOSED = 3
"""As many as there are for a target, and the first of those that an analysis suggests."""


def aimed(analysis: AnalysisFolder) -> tuple[StudentCard, ...]:
    """Draw the wanted compression; returns the proposals for it, unless the analysis suggests them anyway."""
    recipe = state.get().recipe
    tie = bound("distill-compression", recipe.compression, lambda ratio: _aim(analysis, ratio, recipe.by))
    note = "The nearest networks of the teacher's family are offered, and the very nearest is taken."
    st.number_input("Compression wanted", step=0.5, format="%.4g", width=140, help=note, **tie)
    tie = bound("distill-by", recipe.by, lambda by: _aim(analysis, recipe.compression, by))
    st.selectbox("Fewer", list(MEASURES), format_func=MEASURES.__getitem__, width=125, **tie)
    return _proposals(analysis) if _changed() else ()


def _changed() -> bool:
    """Say whether another compression is wanted than the one that analyses suggest students for."""
    recipe = state.get().recipe
    return Target(recipe.compression, recipe.by) != Target()


def _aim(analysis: AnalysisFolder, compression: float, by: By) -> None:
    nearest = _found(analysis, Target(compression, by))[0]
    state.get().cook(compression=compression, by=by, student=nearest.spec)


def _proposals(analysis: AnalysisFolder) -> tuple[StudentCard, ...]:
    recipe = state.get().recipe
    return _found(analysis, Target(recipe.compression, recipe.by))


def _found(analysis: AnalysisFolder, target: Target) -> tuple[StudentCard, ...]:
    card = analysis.card
    return cached.proposals(card.teacher.spec, len(card.classes), card.input_shape, target)


def missed(analysis: AnalysisFolder, student: StudentCard, flops: int) -> str:
    """Say that the student which was taken for the wanted compression misses it; nothing of others.

    Args:
        analysis: of the teacher.
        student: that is chosen.
        flops: of the teacher for one image.
    """
    recipe = state.get().recipe
    target = Target(recipe.compression, recipe.by)
    if student.spec != (_proposals(analysis)[0].spec if _changed() else nearest(analysis)):
        return ""
    ratio = flops / student.flops if recipe.by == "flops" else analysis.card.parameters / student.parameters
    return target.remark(short(student.spec), ratio)


def nearest(analysis: AnalysisFolder) -> str:
    """Return the suggestion that comes nearest to the compression which is aimed at first."""
    aim, size = Target(), analysis.card.parameters
    known = sorted(analysis.students, key=lambda one: aim.miss(size / one.parameters))
    return known[0].spec if known else "zoo:resnet20"


def label(analysis: AnalysisFolder, student: StudentCard) -> str:
    """Write a student as a line to choose from."""
    ratio = analysis.card.parameters / student.parameters
    return f"{short(student.spec)}  ·  {count(student.parameters)}  ·  {ratio:.1f} ×"


def beside_teacher(analysis: AnalysisFolder, flops: int, chosen: StudentCard) -> None:
    """Draw the table of the proposals and the chosen student below their teacher.

    Args:
        analysis: of the teacher.
        flops: of the teacher for one image.
        chosen: the student that is chosen.
    """
    if not (box := folded("Beside the teacher", "beside", ":material/compare_arrows:")):
        return
    with box:
        card, seconds = analysis.card, state.get().latencies
        offered = _proposals(analysis) if _changed() else tuple(analysis.students[:PROPOSED])
        listed = list({one.spec: one for one in (*offered, chosen)}.values())
        sizes = [(card.parameters, flops), *((one.parameters, one.flops) for one in listed)]
        names = [card.teacher.spec, *(one.spec for one in listed)]
        table = {
            "network": [short(name) for name in names],
            "parameters": [count(own) for own, _ in sizes],
            "compression": [card.parameters / own for own, _ in sizes],
            "FLOPs": [count(own) if own else None for _, own in sizes],
            "FLOPs ratio": [flops / own if own else None for _, own in sizes],
            "ms an image": [1e3 * seconds[name] if name in seconds else None for name in names],
        }
        ratio = st.column_config.NumberColumn(format="%.2f ×")
        columns = {"compression": ratio, "FLOPs ratio": ratio}
        time = st.column_config.NumberColumn(format="%.2f", help="One image, one CPU thread.")
        st.dataframe(
            pd.DataFrame(table), hide_index=True, column_config=columns | {"ms an image": time}, key="beside"
        )
        measure = kept(lambda: _measure(analysis, names))
        st.button("Measure latency", icon=":material/timer:", type="tertiary", on_click=measure)


def _measure(analysis: AnalysisFolder, names: list[str]) -> None:
    """Measure all of them in one go: only then do their ratios mean something."""
    card = analysis.card
    found = ask_latencies(names, len(card.classes), card.input_shape)
    state.get().latencies = dict(zip(names, found, strict=True))
