"""The weights of the terms: fixed, or settled at the start from the gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import chain

import torch
from torch import Tensor

from pursuhint.errors import PursuhintError
from pursuhint.losses import Batch, Outputs, Term
from pursuhint.training.distiller import Distiller
from pursuhint.training.settings import Weights

WEAK = 0.01
"""A term whose gradient is below this share of the whole is as good as switched off."""


def term_of(name: str) -> Term:
    """Return the term that a named loss belongs to.

    Example:
        >>> term_of("hint/layer1.2->layer1.0")
        'hint'
    """
    return name.partition("/")[0]  # type: ignore[return-value]


def weighted_total(named: Mapping[str, Tensor], weights: Mapping[Term, float]) -> Tensor:
    """Return gamma * L_cls + alpha * L_logit + beta * L_hint, where L_hint is the sum over the pairs."""
    return sum(weights[term_of(name)] * value for name, value in named.items())


def gradient_norms(
    distiller: Distiller,
    batch: Batch,
    teacher: Outputs | None,
    further: Iterable[tuple[Batch, Outputs | None]] = (),
) -> dict[Term, float]:
    """Measure how hard each term pulls at the student.

    Args:
        distiller: in train mode; its parameters, buffers and gradients are left as they were.
        batch: one batch, or the first of its parts.
        teacher: its outputs for the batch.
        further: the batch's other parts, equal in size, with the teacher's outputs: the norms are those of
            the mean gradient.

    Returns:
        Term -> Euclidean norm of its unweighted gradient on the student's parameters.
    """
    kept = {name: value.clone() for name, value in distiller.state_dict().items()}
    sums: dict[Term, list[Tensor | None]] = {}
    count = 0
    for part, taught in chain([(batch, teacher)], further):
        count += 1
        for term, gradients in _gradients(distiller, part, taught).items():
            before = sums.get(term, [None] * len(gradients))
            sums[term] = [_sum(pair) for pair in zip(before, gradients, strict=True)]
    distiller.load_state_dict(kept)
    squares = {
        term: sum(float(g.double().square().sum()) for g in gradients if g is not None)
        for term, gradients in sums.items()
    }
    return {term: math.sqrt(square) / count for term, square in squares.items()}


def _gradients(
    distiller: Distiller, batch: Batch, teacher: Outputs | None
) -> dict[Term, tuple[Tensor | None, ...]]:
    named = distiller(batch, teacher)
    parameters = [p for p in distiller.student.parameters() if p.requires_grad]
    gradients: dict[Term, tuple[Tensor | None, ...]] = {}
    for term in dict.fromkeys(term_of(name) for name in named):
        value = sum(loss for name, loss in named.items() if term_of(name) == term)
        gradients[term] = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
    return gradients


def _sum(values: Iterable[Tensor | None]) -> Tensor | None:
    given = [value for value in values if value is not None]
    return sum(given[1:], given[0]) if given else None


def settle_weights(weights: Weights, norms: Mapping[Term, float]) -> dict[Term, float]:
    """Turn the settings into the weight of every term.

    Args:
        weights: fixed weights or shares.
        norms: of the unweighted gradients at the start.

    Returns:
        Term -> weight, for the terms in `norms`.

    Raises:
        PursuhintError: a term has no gradient (or not a finite one), so no weight can balance it.

    Example:
        >>> settle_weights(Weights(cls=1, logit=1, hint=0.5), {"cls": 3.0, "hint": 0.01})
        {'cls': 1.0, 'hint': 150.0}
    """
    given: dict[Term, float] = {"cls": weights.cls, "logit": weights.logit, "hint": weights.hint}
    if weights.mode == "fixed":
        return {term: given[term] for term in norms}
    for term, norm in norms.items():
        if given[term] and not (math.isfinite(norm) and norm > 0):
            raise PursuhintError(
                f"L_{term} pulls at the student with a gradient of {norm}, so it cannot be balanced; "
                f"give fixed weights, or other pairs"
            )
    return {
        term: given[term] / given["cls"] * norms["cls"] / norm if given[term] else 0.0
        for term, norm in norms.items()
    }


def gradient_shares(weights: Mapping[Term, float], norms: Mapping[Term, float]) -> dict[Term, float]:
    """Return each term's part of the weighted gradient norms at the start, summing to 1."""
    pulls = {term: weights[term] * norms[term] for term in norms}
    total = sum(pulls.values()) or 1.0
    return {term: pull / total for term, pull in pulls.items()}
