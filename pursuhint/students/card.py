"""What is known of a network before it is trained: size, operations, layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pursuhint.errors import InputError
from pursuhint.guided import with_guided
from pursuhint.layers import Layer, candidate_layers
from pursuhint.models import ModelSpec, new_network, parse_spec


@dataclass(frozen=True)
class StudentCard:
    """What is known of a student before it is trained.

    Attributes:
        spec: its name in full.
        parameters: number of trainable values.
        layers: its candidate layers in depth order.
        flops: floating-point operations for one image, a multiply-add being two: those of convolutions and
            matrix products. None on a card that was written before they were counted.
    """

    spec: str
    parameters: int
    layers: tuple[Layer, ...]
    flops: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "spec": self.spec,
            "parameters": self.parameters,
            "flops": self.flops,
            "layers": [one.as_dict() for one in self.layers],
        }

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> StudentCard:
        """Build a card from `as_dict`'s result."""
        layers = tuple(Layer.from_dict(one) for one in fields["layers"])
        return StudentCard(fields["spec"], fields["parameters"], layers, fields.get("flops"))


@lru_cache(maxsize=256)
def describe_student(
    spec: str, classes: int, image_shape: tuple[int, int, int], guided: tuple[str, ...] = ()
) -> StudentCard:
    """Describe a new network in this process, without memory for its weights where that is possible.

    Args:
        spec: see `pursuhint.models.parse_spec`.
        classes: number of outputs.
        image_shape: channels, height, width.
        guided: layers that are listed too where they lie inside of candidate layers.

    Raises:
        InputError: the name is unknown or the network refuses such images.

    Example:
        >>> card = describe_student("zoo:resnet20", 10, (3, 32, 32))
        >>> card.parameters, card.flops // 2, len(card.layers)
        (269722, 40551040, 9)
    """
    import torch

    wanted = parse_spec(spec)
    try:
        with torch.device("meta"):
            return _describe(wanted, classes, image_shape, guided)
    except (
        InputError,
        RuntimeError,
    ):  # some operations need a real device
        return _describe(wanted, classes, image_shape, guided)


def _describe(
    wanted: ModelSpec, classes: int, image_shape: tuple[int, int, int], guided: tuple[str, ...]
) -> StudentCard:
    from torch.utils.flop_counter import FlopCounterMode

    spec, model = new_network(wanted, classes=classes)
    with FlopCounterMode(display=False) as counter:
        layers = candidate_layers(model, image_shape)  # runs the network once, on one image
    layers = with_guided(model, image_shape, layers, guided)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return StudentCard(spec, parameters, tuple(layers), counter.get_total_flops())
