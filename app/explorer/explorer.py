"""The drawing in the page: what goes into it, and what comes of what a visitor does with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from app import cached, confidence, controls, current, failures, maps, overrides, state
from app.chrome import count
from app.drawing.drawing import ELEMENTS, TELLING, Events, callbacks, heard, register
from app.explorer.student import student_below
from pursuhint.analysis import AnalysisFolder
from pursuhint.clustering import PRESETS
from pursuhint.coverage import coverage
from pursuhint.figures.names import name_sides
from pursuhint.inspection import LayerFacts, layer_facts
from pursuhint.plan import HintPlan
from pursuhint.short_names import LONGEST, fitting_names
from pursuhint.view import LayerView

KEY = "explorer"
MAP = (235.0, 200.0)
"""Width and height that the points of its layer map take on a phone, and a little more on a wide screen."""
AROUND_MAP = (46.0, 26.0)
"""What is free beside and above these points."""
PARTS = tuple(
    f"explorer/{part}.js" for part in ("layer", "matrix", "map", "strip", "student", "facts", "explorer")
)
_component = register(
    "layer_explorer",
    html=["explorer/explorer.html"],
    css=["explorer/frame.css", "explorer/strip.css", "explorer/explorer.css"],
    js=[ELEMENTS, TELLING, *PARTS],
)


def explore(analysis: AnalysisFolder, plan: HintPlan) -> LayerView:
    """Draw the layers under a plan; returns what was drawn."""
    positions = None
    with failures.shown():
        positions = maps.layer_positions(analysis, plan.metric)
    view = current.view(analysis, plan, positions=positions)
    _component(key=KEY, data=content(analysis, plan, view) | heard(KEY), **callbacks(KEY, EVENTS))
    return view


def content(analysis: AnalysisFolder, plan: HintPlan, view: LayerView) -> dict[str, Any]:
    """Return all that the drawing shows, as plain values; nothing is worked out in the browser."""
    mine = state.get()
    similarity = cached.similarity(analysis, plan.metric, mine.choice.samples)
    kept = confidence.kept(analysis, plan)
    frequency = kept.frequency if kept and plan.method not in PRESETS else None
    facts = layer_facts(
        similarity, plan.clusters, plan.hint_points, described=analysis.layers, frequency=frequency
    )
    preset = PRESETS.get(mine.choice.method)
    names = fitting_names(view.layers, LONGEST)
    return view.to_dict() | {
        "facts": [vars(one) | {"swap": vars(one.swap) if one.swap else None} for one in facts],
        "abouts": [_about(one) for one in facts],
        "coverage": coverage(np.asarray(view.similarity), view.hints),
        "notes": {override.layer: override.why for override in plan.overrides},
        "names": names,
        "sides": name_sides(
            view.positions, {layer: names[layer] for layer in view.hints}, screen=MAP, margin=AROUND_MAP
        ),
        "look": vars(mine.look),
        "student": student_below(analysis, plan, view),
        "fixed": preset is not None and not preset.takes_clusters,
    }


def _about(facts: LayerFacts) -> str:
    size = [] if facts.parameters is None else [f"{count(facts.parameters)} parameters"]
    return " · ".join(filter(None, [facts.type, facts.shape, *size]))


def _layers() -> int:
    """Return how many layers are grouped."""
    choice = state.get().choice
    return len(cached.similarity(current.analysis(), choice.metric, choice.samples).layers)


EVENTS: Events = {
    "selected": lambda layer: state.get().show(selected=str(layer)),
    "order": lambda order: state.get().show(order=order),
    "map": lambda method: state.get().show(map=method),
    "clusters": lambda count: controls.take_clusters(int(count), _layers()),
    "toggle": lambda layer: overrides.toggle(str(layer)),
    "move": lambda way: overrides.move(str(way["from"]), str(way["to"])),
    "note": lambda note: overrides.note(str(note["layer"]), str(note["why"]), strict=False),
}
"""What the script sends -> what becomes of it."""
