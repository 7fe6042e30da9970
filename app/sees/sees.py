"""The drawing of what a layer sees: what goes into it, and what comes of what a visitor does with it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, current, failures, fragments, pictures, state
from app.drawing.drawing import ELEMENTS, TELLING, Events, callbacks, heard, register
from pursuhint.analysis import AnalysisFolder
from pursuhint.analysis.sights import kept_sight, look_apart
from pursuhint.errors import InputError, PursuhintError, unknown
from pursuhint.figures.heat import heat_over
from pursuhint.neighbours import Neighbour
from pursuhint.stages import shape_in_words

KEY = "sees"
PARTS = tuple(f"sees/{part}.js" for part in ("points", "cards", "sees"))
COLOURS = ("class", "answer")


_component = register(
    "what_a_layer_sees",
    html=["sees/sees.html"],
    css=["explorer/frame.css", "sees/sees.css"],
    js=[ELEMENTS, TELLING, "explorer/layer.js", *PARTS],
)


@fragments.fragment
def see(analysis: AnalysisFolder) -> None:
    """Draw the probe images, then ask the teacher about the chosen one if nobody did so before."""
    mine, data = state.get(), content(analysis)
    _component(key=KEY, data=data | heard(KEY), **callbacks(KEY, EVENTS))
    if data["sight"] is None and not mine.sight.trouble:
        near = [one["image"] for side in data["near"].values() for one in side["images"]]
        try:
            look_apart(analysis, [data["look"]["image"], *near])  # who clicks on a neighbour need not wait
        except PursuhintError as error:
            mine.see(trouble=str(error))
        st.rerun()
    if mine.sight.trouble:
        failures.show(mine.sight.trouble)


def content(analysis: AnalysisFolder) -> dict[str, Any]:
    """Return all that the drawing shows, as plain values; the maps must be there."""
    mine, names = state.get(), [layer.name for layer in analysis.layers]
    layer = mine.look.selected if mine.look.selected in names else names[0]
    beside, image = mine.sight.beside or names[0 if layer == names[-1] else -1], mine.sight.image
    return cached.images(analysis) | {
        "shapes": [shape_in_words(one.shape) for one in analysis.layers],
        "hints": _hints(analysis, names),
        "look": {"layer": layer, "image": image, "colour": mine.sight.colour, "beside": beside},
        "near": {"here": _near(analysis, layer, image), "beside": _near(analysis, beside, image)},
        "sight": _sight(analysis, layer, image),
        "trouble": "No answer from the teacher" if mine.sight.trouble else "",
    }


def _hints(analysis: AnalysisFolder, names: list[str]) -> list[list[Any]]:
    """Return place, colour and ink of each hint point; the drawing compares layers nowhere else."""
    view = current.view(analysis, current.plan(analysis)).to_dict()
    found = [(view["layers"][hint], view["clusters"][hint]) for hint in view["hints"]]
    return [[names.index(name), view["colours"][own], view["inks"][own]] for name, own in found]


def _near(analysis: AnalysisFolder, layer: str, image: int) -> dict[str, Any]:
    found: tuple[Neighbour, ...] = cached.neighbours(analysis, layer, image)
    return {"layer": layer, "image": image, "images": [vars(one) for one in found]}


def _sight(analysis: AnalysisFolder, layer: str, image: int) -> dict[str, Any] | None:
    """Return what the teacher sees in an image; None when it was not asked yet."""
    sight = kept_sight(analysis, image)
    if sight is None:
        return None
    classes, activation = analysis.card.classes, sight.maps.get(layer)
    return {
        "image": image,
        "picture": pictures.address(sight.image),
        "heat": None if activation is None else pictures.address(heat_over(sight.image, activation)),
        "placeless": activation is None,
        "answers": [[classes[number], share] for number, share in sight.likeliest()],
    }


def _layer(name: Any) -> str:
    known = [layer.name for layer in current.analysis().layers]
    if name not in known:
        raise unknown("layer", str(name), known)
    return name


def _image(position: Any) -> int:
    most = current.analysis().mapped
    if not isinstance(position, int | float) or not 0 <= position < most:
        raise InputError(f"an image must lie between 0 and {most - 1}; found `{position}`")
    return int(position)


def _colour(name: Any) -> str:
    if name not in COLOURS:
        raise unknown("colouring", str(name), COLOURS)
    return name


EVENTS: Events = {
    "layer": lambda name: state.get().show(selected=_layer(name)),
    "image": lambda position: state.get().see(image=_image(position), trouble=""),
    "colour": lambda name: state.get().see(colour=_colour(name)),
    "beside": lambda name: state.get().see(beside=_layer(name)),
}
"""What the script sends -> what becomes of it."""
