"""The weights of the parts of the loss: fixed, or settled at the start from the gradients."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain

import torch
from torch import Tensor

from pursuhint.errors import PursuhintError
from pursuhint.losses import Batch, Outputs
from pursuhint.training.distiller import Distiller, state_kept
from pursuhint.training.loss_names import part_of, parts_in, term_of
from pursuhint.training.settings import Weights

WEAK = 0.01
"""A part whose gradient is below this share of the whole is as good as switched off."""


def contributions(named: Mapping[str, Tensor], weights: Mapping[str, float]) -> dict[str, Tensor]:
    """Return each named loss times the weight of its part; their sum is the total.

    Example:
        >>> named = {"cls": torch.tensor(2.0), "hint/a->b": torch.tensor(1.0), "hint/c->d": torch.tensor(3.0)}
        >>> sum(contributions(named, {"cls": 1.0, "hint": 10.0}).values())
        tensor(42.)
    """
    return {name: weights[part_of(name)] * value for name, value in named.items()}


def gradient_norms(
    distiller: Distiller,
    batch: Batch,
    teacher: Outputs | None,
    further: Iterable[tuple[Batch, Outputs | None]] = (),
) -> dict[str, float]:
    """Measure how hard each part of the objective pulls at the student.

    Args:
        distiller: in train mode; its parameters, buffers and gradients are left as they were.
        batch: one batch, or the first of the pieces it was cut into.
        teacher: its outputs for the batch.
        further: the batch's other pieces, equal in size, with the teacher's outputs: the norms are those of
            the mean gradient.

    Returns:
        Part -> Euclidean norm of its unweighted gradient on the student's parameters.
    """
    sums: dict[str, list[Tensor | None]] = {}
    count = 0
    with state_kept(distiller):
        for piece, taught in chain([(batch, teacher)], further):
            count += 1
            for part, gradients in _gradients(distiller, piece, taught).items():
                before = sums.get(part, [None] * len(gradients))
                sums[part] = [_sum(pair) for pair in zip(before, gradients, strict=True)]
    squares = {
        part: sum(float(g.double().square().sum()) for g in gradients if g is not None)
        for part, gradients in sums.items()
    }
    return {part: math.sqrt(square) / count for part, square in squares.items()}


def _gradients(
    distiller: Distiller, batch: Batch, teacher: Outputs | None
) -> dict[str, tuple[Tensor | None, ...]]:
    named = distiller(batch, teacher)
    parameters = [p for p in distiller.student.parameters() if p.requires_grad]
    gradients: dict[str, tuple[Tensor | None, ...]] = {}
    for part in parts_in(named):
        value = sum(loss for name, loss in named.items() if part_of(name) == part)
        gradients[part] = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
    return gradients


def _sum(values: Iterable[Tensor | None]) -> Tensor | None:
    given = [value for value in values if value is not None]
    return sum(given[1:], given[0]) if given else None


def settle_weights(weights: Weights, norms: Mapping[str, float]) -> dict[str, float]:
    """Turn the settings into the weight of every part.

    Args:
        weights: fixed weights or shares; the parts of a term divide its share evenly.
        norms: of the unweighted gradients at the start.

    Returns:
        Part -> weight, for the parts in `norms`.

    Raises:
        PursuhintError: a part has no gradient (or not a finite one), so no weight can balance it.

    Example:
        >>> settle_weights(Weights(cls=1, logit=1, hint=0.5), {"cls": 3.0, "hint": 0.01})
        {'cls': 1.0, 'hint': 150.0}
    """
    if weights.mode == "fixed":
        return {part: weights.of(part) for part in norms}
    parts_of_term = Counter(term_of(part) for part in norms)
    settled = {}
    for part, norm in norms.items():
        share = weights.of(part) / weights.cls / parts_of_term[term_of(part)]
        if share and not (math.isfinite(norm) and norm > 0):
            raise PursuhintError(
                f"L_{part} pulls at the student with a gradient of {norm}, so it cannot be balanced; "
                f"give fixed weights, or other pairs"
            )
        settled[part] = share * norms["cls"] / norm if share else 0.0
    return settled


def gradient_shares(weights: Mapping[str, float], norms: Mapping[str, float]) -> dict[str, float]:
    """Return each part's share of the weighted gradient norms at the start, summing to 1."""
    pulls = {part: weights[part] * norms[part] for part in norms}
    total = sum(pulls.values()) or 1.0
    return {part: pull / total for part, pull in pulls.items()}
