"""Widgets and words for what a student is trained on: the three terms, their weights, the formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from app import state
from app.bound import bound
from app.state import Recipe
from pursuhint.catalogue import HINT_FACTS, LOGIT_FACTS, LossFacts, title_of

TERMS = {"cls": r"\gamma", "logit": r"\alpha", "hint": r"\beta"}
NAMES = {"cls": "γ of L_cls", "logit": "α of L_logit", "hint": "β of L_hint"}


def draw() -> None:
    """Draw the choice of the losses and of their weights, and the formula that follows from them."""
    mine = state.get()
    _choice("Hint loss", "hint_loss", HINT_FACTS)
    if mine.recipe.hint_loss != "none":
        st.caption(description(HINT_FACTS[mine.recipe.hint_loss]))
    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        _choice("Logit loss", "logit_loss", LOGIT_FACTS)
        tie = bound("distill-temperature", mine.recipe.temperature, lambda t: mine.cook(temperature=t))
        off = mine.recipe.logit_loss == "none"
        st.number_input("Temperature T", 0.5, 20.0, step=0.5, width=115, disabled=off, **tie)
    _weights()
    st.latex(formula(mine.recipe))
    if mine.recipe.balanced and len(present(mine.recipe)) > 1:
        st.latex(balance(mine.recipe))
    st.caption(explanation(mine.recipe))


def _choice(label: str, field: str, offered: Mapping[str, LossFacts]) -> None:
    mine = state.get()
    tie = bound(f"distill-{field}", getattr(mine.recipe, field), lambda name: mine.cook(**{field: name}))
    papers = "\n".join(f"- {facts.title}: {facts.source}" for facts in offered.values())
    st.selectbox(label, [*offered, "none"], format_func=title_of, help=papers, **tie)


def _weights() -> None:
    mine = state.get()
    recipe = mine.recipe
    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        tie = bound("distill-balanced", recipe.balanced, lambda balanced: mine.cook(balanced=balanced))
        titles = {True: "Balanced", False: "Fixed"}
        st.segmented_control("Weights", [True, False], required=True, format_func=titles.__getitem__, **tie)
        for term in present(recipe):
            tie = bound(
                f"distill-weight-{term}", getattr(recipe.numbers, term), lambda w, term=term: _set(term, w)
            )
            label = f"share of L_{term}" if recipe.balanced else NAMES[term]
            st.number_input(label, 0.0, None, step=0.1, format="%.4g", width=115, **tie)


def _set(term: str, weight: float) -> None:
    mine = state.get()
    changed = replace(mine.recipe.numbers, **{term: weight})
    mine.cook(**{"shares" if mine.recipe.balanced else "fixed": changed})


def present(recipe: Recipe) -> list[str]:
    """Return the terms that a recipe has."""
    return ["cls", *(t for t in ("logit", "hint") if getattr(recipe, f"{t}_loss") != "none")]


def formula(recipe: Recipe) -> str:
    r"""Write the objective with the present numbers.

    Example:
        >>> formula(Recipe(hint_loss="none", balanced=False))
        '\\mathcal{L} = 1\\,\\mathcal{L}_{\\text{cls}} + 1\\,\\mathcal{L}_{\\text{logit}}'
    """
    factors = {
        term: TERMS[term] if recipe.balanced else f"{getattr(recipe.numbers, term):g}" for term in TERMS
    }
    parts = [rf"{factors[term]}\,\mathcal{{L}}_{{\text{{{term}}}}}" for term in present(recipe)]
    return rf"\mathcal{{L}} = {' + '.join(parts)}"


def balance(recipe: Recipe) -> str:
    r"""Write the proportion that the gradients of the terms are brought to.

    Example:
        >>> balance(Recipe(hint_loss="none"))[-5:]
        '1 : 1'
    """
    terms = present(recipe)
    pulls = " : ".join(rf"{TERMS[term]}\,\lVert g_{{\text{{{term}}}}}\rVert" for term in terms)
    return rf"{pulls} = {' : '.join(f'{getattr(recipe.numbers, term):g}' for term in terms)}"


def description(facts: LossFacts) -> str:
    r"""Write a loss in one line of Markdown: its formula, its reduction and what is peculiar about it.

    Example:
        >>> from pursuhint.catalogue import hint_facts
        >>> description(hint_facts("fitnet")).partition("$: ")[2]
        'mean over images, channels and positions; trains an adapter; usual fixed weight 100.'
    """
    remarks = [
        facts.reduction,
        "trains an adapter" if facts.adapter else "",
        "looks across the images of a batch" if facts.across_images else "",
        f"usual fixed weight {facts.weight:,g}" if facts.weight else "",
    ]
    return f"${facts.formula}$: {'; '.join(filter(None, remarks))}."


def explanation(recipe: Recipe) -> str:
    """Say how the weights come about."""
    if recipe.balanced:
        return (
            "Balanced: γ = 1; the other weights are set once, at the start, so that the gradients g of the "
            "terms on the student stand in these proportions. The run shows the numbers it found."
        )
    return (
        "Fixed numbers do not carry over between losses or code bases: the attention loss is a mean over "
        "positions and usually needs a weight of 50 to 1,000. A term that hardly pulls is warned about."
    )
