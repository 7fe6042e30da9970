"""Hint points chosen without looking at how alike the layers are: what clustering has to beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pursuhint.errors import InputError, unknown
from pursuhint.layers import Layer, stage_ends


@dataclass(frozen=True)
class Preset:
    """A way to choose hint points that takes no similarity.

    Attributes:
        name: the key in ``PRESETS``.
        title: the name for people.
        note: what it does, in one line.
        choose: L candidate layers in depth order, K, seed, the user's own names -> the hint points.
        takes_clusters: whether K is for the user to choose; otherwise it follows from the choice.
    """

    name: str
    title: str
    note: str
    choose: Callable[[Sequence[Layer], int, int, Sequence[str]], tuple[str, ...]]
    takes_clusters: bool


def uniform(layers: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the middle layers of `count` equal stretches of depth.

    Args:
        layers: L names in depth order.
        count: 1..L.

    Returns:
        `count` names in depth order.

    Raises:
        InputError: fewer than one or more than L.

    Example:
        >>> uniform(["a", "b", "c", "d", "e", "f"], 3)
        ('b', 'd', 'f')
    """
    check_count(count, len(layers))
    return tuple(layers[(2 * part + 1) * len(layers) // (2 * count)] for part in range(count))


def random_layers(layers: Sequence[str], count: int, seed: int) -> tuple[str, ...]:
    """Return `count` different layers drawn at random, in depth order; the same ones for the same seed.

    Raises:
        InputError: fewer than one or more than L.
    """
    check_count(count, len(layers))
    drawn = np.random.default_rng(seed).choice(len(layers), size=count, replace=False)
    return tuple(layers[index] for index in sorted(drawn))


def _names(layers: Sequence[Layer]) -> list[str]:
    return [layer.name for layer in layers]


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "stage_ends",
            "Stage ends",
            "Takes the last layer of every stage, as hint distillation usually does; K follows the stages.",
            lambda layers, _clusters, _seed, _mine: tuple(stage_ends(layers)),
            takes_clusters=False,
        ),
        Preset(
            "uniform",
            "Uniform",
            "Takes the middle layers of K equal stretches of depth.",
            lambda layers, clusters, _seed, _mine: uniform(_names(layers), clusters),
            takes_clusters=True,
        ),
        Preset(
            "random",
            "Random",
            "Draws K layers; the seed says which.",
            lambda layers, clusters, seed, _mine: random_layers(_names(layers), clusters, seed),
            takes_clusters=True,
        ),
        Preset(
            "manual",
            "Your own",
            "Takes the layers that you name; K is their number.",
            lambda _layers, _clusters, _seed, mine: tuple(mine),
            takes_clusters=False,
        ),
    )
}


def check_count(count: int, layers: int) -> None:
    """Refuse to make more groups than there are layers, or none."""
    if not 1 <= count <= layers:
        raise InputError(
            f"the number of clusters must lie between 1 and the number of layers, {layers}: found {count}; "
            f"choose at most {layers}, or offer more layers"
        )


def check_names(names: Sequence[str], layers: Sequence[str], excluded: Mapping[str, str]) -> None:
    """Refuse hint points that are no layers of the matrix, are named twice, or are none at all.

    Args:
        names: the hint points.
        layers: the layers that were compared.
        excluded: layer that could not be compared -> reason.
    """
    if not names:
        raise InputError("at least one hint point is needed: found none; name a layer")
    for name in names:
        if name in excluded:
            raise InputError(f"`{name}` cannot be a hint point: {excluded[name]}; choose another layer")
        if name not in layers:
            raise unknown("hint point", name, layers)
    twice = [name for name in dict.fromkeys(names) if list(names).count(name) > 1]
    if twice:
        raise InputError(f"hint points must differ: found `{twice[0]}` more than once; name it once")
