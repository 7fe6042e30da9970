"""Guided layers that lie inside of a student's candidate layers: not offered, but a plan may name them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pursuhint.errors import InputError
from pursuhint.layers import Layer, candidate_layers

if TYPE_CHECKING:
    from torch import nn


def with_guided(
    student: nn.Module, image_shape: tuple[int, int, int], candidates: Sequence[Layer], guided: Iterable[str]
) -> Sequence[Layer]:
    """Add the guided layers that lie inside of candidate layers.

    Args:
        student: the network; run once on one image if there are any.
        image_shape: channels, height, width.
        candidates: its candidate layers.
        guided: names of layers; those that the student does not have are left out.

    Returns:
        All of them in depth order.

    Raises:
        InputError: a guided layer is there and puts out nothing that could imitate.
    """
    from pursuhint.recorder import module_path

    strangers = set(guided) - {layer.name for layer in candidates}
    modules = dict(student.named_modules())
    inside = sorted(module_path(name) for name in strangers if module_path(name) in modules)
    if not inside:
        return candidates
    offered = candidate_layers(student, image_shape, include=inside)
    called = {module_path(layer.name) for layer in offered}
    for path in inside:
        if path not in called:
            raise InputError(
                f"the guided layer `{path}` puts out no tensor for an image, or is never called; choose one "
                f"of {', '.join(layer.name for layer in candidates[:6])}, ..."
            )
    return offered
