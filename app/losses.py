"""Widgets and words for what a student is trained on: the three terms, their weights, the formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from app import state
from app.bound import bound
from app.limited import number
from app.recipe import Recipe
from pursuhint.catalogue import HINT_FACTS, LOGIT_FACTS, LossFacts, title_of
from pursuhint.dry_run import DryRun
from pursuhint.runs.panels import weights_in_words
from pursuhint.training.temperatures import usual_temperature
from pursuhint.training.weight_presets import WEIGHT_PRESETS, describe_preset, presets_for

WEIGHINGS = {"balanced": "Balanced", "fixed": "Fixed"}
SCHEDULES = {"constant": "constant", "decay": "falls to 0", "warmup:5": "rises over 5 epochs"}
GREEK = {"logit": "α", "hint": "β"}
TERMS = {"cls": r"\gamma", "logit": r"\alpha", "hint": r"\beta"}
NAMES = {"cls": "γ of L_cls", "logit": "α of L_logit", "hint": "β of L_hint"}


def draw() -> None:
    """Draw the choice of the losses and of their weights."""
    mine = state.get()
    _choice("Hint loss", "hint_loss", HINT_FACTS, lambda name: {"hint_loss": name})
    if mine.recipe.hint_loss != "none":
        st.caption(description(HINT_FACTS[mine.recipe.hint_loss]))
    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        _choice("Logit loss", "logit_loss", LOGIT_FACTS, _at_its_temperature)
        number(
            "Temperature T",
            "distill-temperature",
            mine.recipe.temperature,
            lambda warm: mine.cook(temperature=warm),
            least=0.5,
            most=20.0,
            step=0.5,
            width=115,
            disabled=mine.recipe.logit_loss == "none",
        )
    _weights()


def objective(tried: DryRun | None, pairs: int) -> None:
    """Draw the formula that follows from the choice, with the numbers that are known.

    Args:
        tried: what the first steps of just this training told; None when they were not taken.
        pairs: of layers that the hint loss is summed over.
    """
    recipe = state.get().recipe
    st.latex(formula(recipe, pairs))
    if recipe.balanced and len(recipe.terms) > 1:
        st.latex(balance(recipe))
    if tried:
        st.latex(first_step(tried))
        later = ""
        if tried.settled != tried.weights:
            schedules = {term: getattr(recipe, f"{term}_schedule") for term in recipe.terms[1:]}
            later = f" Over the run: {weights_in_words(tried.settled, schedules)}."
        st.caption(
            f"The first step of the dry run: weight · loss, and the share of the gradient below it.{later}"
        )
    else:
        st.caption(explanation(recipe))


def chosen() -> list[str]:
    """Return the names of the losses beside the labels, for explanations."""
    recipe = state.get().recipe
    return [loss for loss in (recipe.logit_loss, recipe.hint_loss) if loss != "none"]


def _choice(
    label: str, field: str, offered: Mapping[str, LossFacts], change: Callable[[str], dict[str, Any]]
) -> None:
    mine = state.get()
    tie = bound(f"distill-{field}", getattr(mine.recipe, field), lambda name: mine.cook(**change(name)))
    papers = "\n".join(f"- {facts.title}: {facts.source}" for facts in offered.values())
    st.selectbox(label, [*offered, "none"], format_func=title_of, help=papers, **tie)


def _at_its_temperature(logit_loss: str) -> dict[str, Any]:
    return {"logit_loss": logit_loss, "temperature": usual_temperature(logit_loss)}


def _weights() -> None:
    mine = state.get()
    recipe = mine.recipe
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        options = [*WEIGHINGS, *presets_for(recipe.hint_loss)]
        tie = bound("distill-weights", recipe.weights, _weigh)
        st.selectbox("Weights", options, format_func=lambda name: WEIGHINGS.get(name, name), width=230, **tie)
        for term in recipe.terms:
            number(
                f"share of L_{term}" if recipe.balanced else NAMES[term],
                f"distill-weight-{term}",
                getattr(recipe.numbers, term),
                partial(_set, term),
                least=0.0,
                step=0.1,
                format="%.4g",
                width=115,
                disabled=recipe.weights not in WEIGHINGS,
            )
        if len(recipe.terms) > 1:
            with st.popover("Over the run", help="How the weights change while the student trains."):
                for term in recipe.terms[1:]:
                    _schedule(term)


def _weigh(weights: str) -> None:
    """Take balanced or fixed weights, or a preset together with the logit loss that it was published with."""
    preset, mine = WEIGHT_PRESETS.get(weights), state.get()
    same_term = preset is None or (preset.logit_loss == "none") == (mine.recipe.logit_loss == "none")
    mine.cook(weights=weights, **({} if same_term else _at_its_temperature(preset.logit_loss)))


def _schedule(term: str) -> None:
    mine, field = state.get(), f"{term}_schedule"
    chosen = getattr(mine.recipe, field)
    tie = bound(f"distill-{field}", chosen, lambda name: mine.cook(**{field: (name or "constant").strip()}))
    st.selectbox(
        f"{GREEK[term]} of L_{term}",
        list(dict.fromkeys([*SCHEDULES, chosen])),
        format_func=lambda name: SCHEDULES.get(name, name),
        accept_new_options=True,
        help="Or type `warmup:EPOCHS`, such as `warmup:20`.",
        **tie,
    )


def _set(term: str, weight: float) -> None:
    mine = state.get()
    changed = replace(mine.recipe.numbers, **{term: weight})
    mine.cook(**{"shares" if mine.recipe.balanced else "fixed": changed})


def formula(recipe: Recipe, pairs: int = 1) -> str:
    r"""Write the objective with the present numbers, and below each term which loss it is.

    Args:
        recipe: how to train.
        pairs: of layers that the hint loss is summed over.

    Example:
        >>> formula(Recipe(hint_loss="none", weights="fixed")).partition(" + ")[2]
        '1\\,\\underbrace{\\mathcal{L}_{\\text{logit}}}_{\\text{KD},\\,T = 4}'
    """
    factors = {
        term: TERMS[term] if recipe.balanced else f"{getattr(recipe.numbers, term):g}" for term in TERMS
    }
    summed = rf"\sum_{{k=1}}^{{{pairs}}} " if pairs > 1 else ""
    losses = {
        "cls": r"\text{CE}",
        "logit": rf"\text{{{recipe.logit_loss.upper()}}},\,T = {recipe.temperature:g}",
        "hint": rf"{summed}\text{{{recipe.hint_loss.upper()}}}(g_k, h_k)",
    }
    products = (
        rf"{factors[term]}\,\underbrace{{\mathcal{{L}}_{{\text{{{term}}}}}}}_{{{losses[term]}}}"
        for term in recipe.terms
    )
    return rf"\mathcal{{L}} = {' + '.join(products)}"


def first_step(tried: DryRun) -> str:
    r"""Write the objective of the first step in numbers, the share of the gradient below each product.

    Example:
        >>> tried = DryRun("cpu", {"cls": 2.3, "hint": 0.002}, {"cls": 1.0, "hint": 310.0},
        ...                {"cls": 0.75, "hint": 0.25}, 0, 10, 0.1, 0.0, 1.0, 5.0, 0)
        >>> first_step(tried).rpartition("=")[2]
        ' 2.92'
    """
    products = [
        rf"\underbrace{{{_number(tried.weights[part])} \cdot {_number(loss)}}}_"
        rf"{{\text{{{part}, {100 * tried.shares[part]:.0f} \%}}}}"
        for part, loss in tried.losses.items()
    ]
    return rf"\mathcal{{L}} = {' + '.join(products)} = {_number(sum(tried.weighted.values()))}"


def _number(value: float) -> str:
    r"""Write a number with three digits that count.

    Example:
        >>> _number(412.3), _number(0.0000123), _number(2.3)
        ('412', '1.23 \\cdot 10^{-5}', '2.3')
    """
    text = f"{value:.3g}"
    digits, e, power = text.partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if e else text


def balance(recipe: Recipe) -> str:
    r"""Write the proportion that the gradients of the terms are brought to.

    Example:
        >>> balance(Recipe(hint_loss="none"))[-5:]
        '1 : 1'
    """
    terms = recipe.terms
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
    if recipe.weights not in WEIGHINGS:
        return f"The weights are {describe_preset(recipe.weights)}. A term that hardly pulls is warned about."
    return (
        "Fixed numbers do not carry over between losses or code bases: the attention loss is a mean over "
        "positions and usually needs a weight of 50 to 1,000. A term that hardly pulls is warned about."
    )
