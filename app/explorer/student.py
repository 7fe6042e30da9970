"""What the drawing shows of the student: its layers, and which of them imitates which hint point."""

from __future__ import annotations

from typing import Any

from app import cached, pairs, state
from app.bridge.bridge import student_strip
from pursuhint.analysis import AnalysisFolder
from pursuhint.errors import PursuhintError
from pursuhint.plan import HintPlan
from pursuhint.view import LayerView


def student_below(analysis: AnalysisFolder, plan: HintPlan, view: LayerView) -> dict[str, Any] | None:
    """Return the `student_strip` that was chosen on the Distill page; None for none, or for no hint loss."""
    recipe, card = state.get().recipe, analysis.card
    if not recipe.student or recipe.hint_loss == "none":
        return None
    try:
        found = next((one for one in analysis.students if one.spec == recipe.student), None)
        found = found or cached.student(recipe.student, len(card.classes), card.input_shape)
        meeting = pairs.in_force(plan, found)
    except PursuhintError:
        return None  # the Distill page says what is wrong with it
    return student_strip(found, meeting, view)
