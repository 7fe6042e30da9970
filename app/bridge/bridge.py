"""The drawing of the pairs: what goes into it, and what comes of a click."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from app import current, state
from app.chrome import count, shape, short
from app.drawing.drawing import ELEMENTS, TELLING, Events, callbacks, heard, register
from pursuhint.adapters import Adapter
from pursuhint.analysis import AnalysisFolder
from pursuhint.pairs import Pair
from pursuhint.plan import HintPlan
from pursuhint.short_names import short_names
from pursuhint.students import StudentCard
from pursuhint.view import LayerView

KEY = "bridge"
SHOWN = ("layers", "labels", "clusters", "colours", "inks", "hints", "stages", "standings", "left_out")
"""What of the drawing of the teacher's layers is shown here."""
_component = register(
    "bridge",
    html=["bridge/bridge.html"],
    css=["explorer/frame.css", "explorer/strip.css", "bridge/bridge.css"],
    js=[
        ELEMENTS,
        TELLING,
        *(f"explorer/{part}.js" for part in ("layer", "strip", "student")),
        "bridge/bridge.js",
    ],
)
EVENTS: Events = {"guide": lambda pair: state.get().guide(str(pair["hint"]), str(pair["guided"]))}


def bridge(
    analysis: AnalysisFolder,
    plan: HintPlan,
    student: StudentCard,
    pairs: Sequence[Pair],
    adapters: Sequence[Adapter] | None,
) -> None:
    """Draw the pairs between the layers of the two networks.

    Args:
        analysis: of the teacher.
        plan: with the hint points.
        student: what is known of it.
        pairs: in the order of the hint points.
        adapters: how they meet; None when they cannot.
    """
    view = current.view(analysis, plan)
    data = content(analysis, view, student, pairs, adapters)
    _component(key=KEY, data=data | heard(KEY), **callbacks(KEY, EVENTS))


def content(
    analysis: AnalysisFolder,
    view: LayerView,
    student: StudentCard,
    pairs: Sequence[Pair],
    adapters: Sequence[Adapter] | None,
) -> dict[str, Any]:
    """Return all that the drawing shows, as plain values."""
    drawn, card = view.to_dict(), analysis.card
    return {name: drawn[name] for name in SHOWN} | {
        "teacher": f"{short(card.teacher.spec)} · {count(card.parameters)} parameters",
        "student": student_strip(student, pairs, view),
        "meetings": meetings(analysis, student, pairs, adapters),
    }


def student_strip(student: StudentCard, pairs: Sequence[Pair], view: LayerView) -> dict[str, Any]:
    """Return a student's layers and which of them imitates which hint point.

    Returns:
        ``name``, ``layers`` and their short ``labels``, the number of layers of each of its ``stages``, and
        ``pairs`` of indices: hint point, guided layer.
    """
    names = [layer.name for layer in student.layers]
    return {
        "name": f"{short(student.spec)} · {count(student.parameters)} parameters",
        "layers": names,
        "labels": short_names(names),
        "stages": [len(list(run)) for _, run in groupby(layer.stage for layer in student.layers)],
        "pairs": [[view.layers.index(pair.hint), names.index(pair.guided)] for pair in pairs],
    }


def meetings(
    analysis: AnalysisFolder,
    student: StudentCard,
    pairs: Sequence[Pair],
    adapters: Sequence[Adapter] | None,
) -> list[dict[str, Any]]:
    """Return for each pair its layers, their shapes, and how they meet, in words."""
    hints = {layer.name: shape(layer.shape) for layer in analysis.layers}
    guided = {layer.name: shape(layer.shape) for layer in student.layers}
    return [
        {
            "hint": pair.hint,
            "guided": pair.guided,
            "hint_shape": hints[pair.hint],
            "guided_shape": guided[pair.guided],
            "adapter": _how(adapter),
            "parameters": f"{adapter.parameters:,} parameters" if adapter and adapter.parameters else "",
            "fits": adapter is not None,
        }
        for pair, adapter in zip(pairs, adapters or [None] * len(pairs), strict=True)
    ]


def _how(adapter: Adapter | None) -> str:
    if adapter is None:
        return "cannot meet"
    return "compared as they are" if adapter.text == "none" else adapter.text
