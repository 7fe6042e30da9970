"""Where a plan's hint points come from, in words."""

from __future__ import annotations

from pursuhint.clustering import METHODS, PRESETS
from pursuhint.plan import HintPlan
from pursuhint.similarity import METRICS


def origin(plan: HintPlan) -> str:
    """Say in a few words where a plan's hint points come from."""
    found = f"{METRICS[plan.metric].title}, K = {len(plan.clusters)}"
    if plan.method in METHODS:
        found = f"the centre of each cluster by {METHODS[plan.method].title}, {found}"
    else:
        found = f"{PRESETS[plan.method].title.lower()}, K = {len(plan.clusters)}"
    changed = changes(plan)
    return f"{found}; by hand: {changed}" if changed else found


def changes(plan: HintPlan) -> str:
    """Say in a few words what differs from the automatic hint points; empty for an automatic plan."""
    added = [name for name in plan.hint_points if name not in plan.centres]
    removed = [name for name in plan.centres if name not in plan.hint_points]
    return " · ".join([f"+ {name}" for name in added] + [f"− {name}" for name in removed])
