"""Settings of the training that are seldom changed, and what kept targets would cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app import cached, failures, state
from app.bound import bound
from app.chrome import folded, several
from app.limited import number
from app.recipe import Recipe
from pursuhint.analysis import AnalysisFolder
from pursuhint.files import in_bytes
from pursuhint.home import targets_folder
from pursuhint.pairs import Pair
from pursuhint.students import StudentCard
from pursuhint.training.target_size import bytes_needed, target_shapes, why_not_kept

MIXES = {"none": "no mixing", "mixup": "mixup", "cutmix": "CutMix"}
SELECTIONS = {"validation": "validation images", "test": "test images (optimistic)"}
PRECISIONS = {"32-true": "float32", "bf16-mixed": "bfloat16, mixed", "16-mixed": "float16, mixed (GPU)"}
COMPILED = {"off": "nothing", "teacher": "the teacher", "both": "teacher and student"}

IN_WORDS: dict[str, Callable[[Any], str]] = {
    "mix": MIXES.__getitem__,
    "ema": "weights averaged by {:g}".format,
    "select": lambda part: f"best epoch by {SELECTIONS[part]}",
    "accumulate": lambda parts: f"batches in {several(parts, 'part')}",
    "precision": PRECISIONS.__getitem__,
    "compile": lambda what: f"{COMPILED[what]} compiled",
    "keep_targets": lambda views: several(views, "kept view"),
}
"""Setting -> how a value that is not the usual one is called."""


def draw(analysis: AnalysisFolder, student: StudentCard | None, pairs: tuple[Pair, ...] | None) -> None:
    """Draw the seldom changed settings, folded away, and say which of them are changed.

    Args:
        analysis: of the teacher.
        student: what is known of it; None when it cannot be used.
        pairs: hint points and guided layers; None when they cannot be compared.
    """
    mine = state.get()
    if box := folded("More", "more", ":material/tune:"):
        with box:
            _settings()
    if changed := changes(mine.recipe):
        st.caption(changed)
    if mine.recipe.keep_targets and student and pairs is not None:
        _cost(analysis, student, pairs)


def _settings() -> None:
    left, right = st.columns(2)
    with left:
        _choice("Mix images", "mix", MIXES, "Blends each image and its label with another one's.")
        note = "Of the student, such as 0.999 a step: the average is scored and exported."
        _number(
            "Average weights", "ema", note, optional=True, least=0.0, most=0.9999, step=0.001, format="%.4g"
        )
        note = "Worked on one after the other: less memory, the same step."
        _number("Parts of a batch", "accumulate", note, least=1, step=1)
    with right:
        _choice("Best epoch by", "select", SELECTIONS, "Published tables often take the test images.")
        _choice("Precision", "precision", PRECISIONS, "bfloat16 pays on GPUs and newer CPUs only.")
        _choice("Compile", "compile", COMPILED, "For GPUs; gained nothing on the CPU. Takes a minute.")
    left, right = st.columns(2)  # below each other on a phone
    with left:
        note = "Shows each image in so many views over and over, and asks the teacher about each once."
        _number("Kept views", "keep_targets", note, optional=True, least=1, step=1)
    if state.get().recipe.keep_targets:
        with right:
            note = "Disk that the teacher's answers may take."
            _number("At most, in GB", "targets_limit", note, least=0.1, step=1.0, format="%.4g")


def changes(recipe: Recipe) -> str:
    """Name the settings that differ from the usual ones.

    Example:
        >>> changes(Recipe(mix="mixup", ema=0.999, keep_targets=2)), changes(Recipe())
        ('mixup · weights averaged by 0.999 · 2 kept views', '')
    """
    given = {name: getattr(recipe, name) for name in IN_WORDS}
    usual = Recipe()
    return " · ".join(IN_WORDS[name](value) for name, value in given.items() if value != getattr(usual, name))


def _cost(analysis: AnalysisFolder, student: StudentCard, pairs: tuple[Pair, ...]) -> None:
    """Say what kept targets take on disk and save in time, or why they would not be kept."""
    recipe, card = state.get().recipe, analysis.card
    views = recipe.keep_targets
    shapes = target_shapes(
        pairs,
        {layer.name: layer.shape for layer in student.layers},
        {layer.name: layer.shape for layer in analysis.layers},
        recipe.hint_loss,
        len(card.classes),
    )
    images = cached.training_images(card.data, card.data_id)
    needed = bytes_needed(shapes, images=images, views=views)
    if reason := why_not_kept(needed, views, limit=recipe.targets_limit, folder=targets_folder()):
        failures.warn(f"They would not be kept: {reason}.")
        return
    st.caption(cost(needed, images=images, views=views, epochs=recipe.epochs))


def cost(needed: int, *, images: int, views: int, epochs: int) -> str:
    """Say what kept targets take and save.

    Example:
        >>> cost(3_400_000, images=1000, views=2, epochs=30).partition(". ")[0]
        '3.4 MB of disk for 2 views of 1,000 images'
    """
    return (
        f"{in_bytes(needed)} of disk for {several(views, 'view')} of {images:,} images. The teacher runs in "
        f"{min(views, epochs)} of {several(epochs, 'epoch')}; the student sees these views over and over."
    )


def _choice(label: str, field: str, offered: Mapping[str, str], note: str) -> None:
    mine = state.get()
    tie = bound(f"distill-{field}", getattr(mine.recipe, field), lambda name: mine.cook(**{field: name}))
    st.selectbox(label, list(offered), format_func=offered.__getitem__, help=note, **tie)


def _number(label: str, field: str, note: str, **shape: Any) -> None:
    mine = state.get()
    value, shape = getattr(mine.recipe, field), {"placeholder": "off", "help": note} | shape
    number(label, f"distill-{field}", value, lambda found: mine.cook(**{field: found}), **shape)
