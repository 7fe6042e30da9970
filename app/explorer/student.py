"""What the drawing shows of the student: its layers, and which of them imitates which hint point."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from app import cached, state, students
from app.chrome import count, short
from pursuhint.analysis import AnalysisFolder
from pursuhint.errors import PursuhintError
from pursuhint.plan import HintPlan
from pursuhint.view import LayerView, short_names


def student_below(analysis: AnalysisFolder, plan: HintPlan, view: LayerView) -> dict[str, Any] | None:
    """Return the student that was chosen on the Distill page; None for none, or for one without hints.

    Returns:
        ``name``, ``layers`` and their short ``labels``, the number of layers of each of its ``stages``, and
        ``pairs`` of indices: hint point, guided layer.
    """
    recipe, card = state.get().recipe, analysis.card
    if not recipe.student or recipe.hint_loss == "none":
        return None
    try:
        found = next((one for one in analysis.students if one.spec == recipe.student), None)
        found = found or cached.student(recipe.student, len(card.classes), card.input_shape)
        pairs = students.in_force(plan, found)
    except PursuhintError:
        return None  # the Distill page says what is wrong with it
    names = [layer.name for layer in found.layers]
    return {
        "name": f"{short(found.spec)} · {count(found.parameters)} parameters",
        "layers": names,
        "labels": short_names(names),
        "stages": [len(list(run)) for _, run in groupby(layer.stage for layer in found.layers)],
        "pairs": [[view.layers.index(pair.hint), names.index(pair.guided)] for pair in pairs],
    }
