"""PURSUhInT: choose hint points by clustering a teacher's layers, then distil a student.

The names below are imported when they are first used: ``import pursuhint`` is instant and does not load
torch.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACE = {
    "load_data": "pursuhint.data",
    "load_teacher": "pursuhint.teacher",
    "candidate_layers": "pursuhint.layers",
    "collect_representations": "pursuhint.analysis.collect",
    "similarity_matrix": "pursuhint.similarity",
    "cluster_layers": "pursuhint.clustering",
    "choose_hints": "pursuhint.hints",
    "HintPlan": "pursuhint.plan",
    "AnalysisFolder": "pursuhint.analysis",
    "AnalysisSettings": "pursuhint.analysis",
    "propose_students": "pursuhint.students",
    "distill": "pursuhint.distillation",
    "RunFolder": "pursuhint.runs",
    "PursuhintError": "pursuhint.errors",
    "InputError": "pursuhint.errors",
}
__all__ = list(_PLACE)


def __getattr__(name: str) -> Any:
    if name not in _PLACE:
        raise AttributeError(f"module 'pursuhint' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
