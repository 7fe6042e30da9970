"""Widgets of the Distill page: the student, the settings of the training."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, proposals, state
from app.bound import bound
from app.chrome import count, several, short
from app.limited import number
from app.recipe import Recipe
from pursuhint.analysis import AnalysisFolder
from pursuhint.augment import RESIZED_CROP
from pursuhint.plan import HintPlan
from pursuhint.students import StudentCard
from pursuhint.training.recipes import RECIPES

RECIPE_TITLES = {
    "quick": "Quick: 30 epochs, cosine",
    "cifar": "CIFAR: 240 epochs in steps",
    "imagenet": "ImageNet: 100 epochs in steps",
}


def choose(analysis: AnalysisFolder, plan: HintPlan) -> StudentCard:
    """Draw the choice of the student; returns what is known of it, with the layers that the plan names."""
    mine, suggested = state.get(), {one.spec: one for one in analysis.students}
    if not mine.recipe.student:
        mine.cook(student=proposals.nearest(analysis))
    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        offered = {one.spec: one for one in proposals.aimed(analysis)} | suggested
        tie = bound(
            "distill-student",
            mine.recipe.student,
            lambda spec: mine.cook(student=spec or proposals.nearest(analysis)),
        )
        st.selectbox(
            "Network",
            list(dict.fromkeys([*offered, mine.recipe.student])),
            format_func=lambda spec: proposals.label(analysis, offered[spec]) if spec in offered else spec,
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
    if remark := proposals.missed(analysis, found, flops):
        st.warning(remark, icon=":material/warning:")
    proposals.beside_teacher(analysis, flops, found)
    known = {layer.name for layer in found.layers}
    strange = tuple(pair.guided for pair in plan.pairs if pair.guided not in known)
    return cached.student_with(spec, len(card.classes), card.input_shape, strange) if strange else found


def training() -> None:
    """Draw the settings of the training."""
    mine = state.get()
    tie = bound("distill-training", mine.recipe.training, _follow)
    st.selectbox("Recipe", list(RECIPES), format_func=RECIPE_TITLES.__getitem__, **tie)
    left, right = st.columns(2)
    with left:
        _number("Epochs", "epochs", 1, 1)
        _number("Learning rate", "learning_rate", 0.0001, 0.01, format="%.4g")
        _number("CPU threads", "threads", 1, 1, placeholder="all", optional=True)
        _number("Seed", "seed", 0, 1)
    with right:
        _number("Batch size", "batch_size", 2, 16, help="The learning rate belongs to it; nothing is scaled.")
        _number("Label smoothing", "label_smoothing", 0.0, 0.05, format="%.4g")
        tie = bound("distill-name", mine.recipe.name, lambda name: mine.cook(name=name.strip()))
        st.text_input("Name", placeholder="student · losses", **tie)


def _follow(recipe: str) -> None:
    """Take a recipe's numbers, also over those that were changed by hand."""
    fields = RECIPES[recipe].fields
    shown = {name: fields[name] for name in ("epochs", "batch_size", "learning_rate")}
    state.get().cook(training=recipe, **shown)


def pace(recipe: Recipe) -> str:
    """Say how the learning rate falls.

    Example:
        >>> pace(Recipe(training="cifar", epochs=24))
        'SGD with momentum, rate × 0.1 after epochs 15, 18, 21'
        >>> pace(Recipe(training="imagenet", epochs=100))
        'SGD with momentum, rate × 0.1 after epochs 30, 60, 90; random resized crops'
    """
    chosen = RECIPES[recipe.training]
    views = "; random resized crops" if chosen.augmentation == RESIZED_CROP else ""
    if chosen.schedule == "step":
        places = ", ".join(f"{place * recipe.epochs:.3g}" for place in chosen.steps_at)
        return f"SGD with momentum, rate × 0.1 after epochs {places}{views}"
    return f"SGD with momentum, {chosen.schedule} schedule{views}"


def _number(label: str, field: str, least: float, step: float, **more: Any) -> None:
    mine = state.get()
    value = getattr(mine.recipe, field)
    number(
        label, f"distill-{field}", value, lambda v: mine.cook(**{field: v}), least=least, step=step, **more
    )


def summary(student: StudentCard) -> str:
    """Say in a few words what the next run is."""
    recipe = state.get().recipe
    losses = [loss for loss in (recipe.logit_loss, recipe.hint_loss) if loss != "none"]
    return (
        f"{short(student.spec)} · {' + '.join(losses) or 'labels only'} · {several(recipe.epochs, 'epoch')}"
    )
