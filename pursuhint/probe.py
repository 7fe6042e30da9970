"""Short questions about a network, answered by a process of its own and kept.

``python -m pursuhint.probe SPEC CLASSES CHANNELS HEIGHT WIDTH`` prints the answer as JSON.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pursuhint.files import read_json, write_json
from pursuhint.home import home
from pursuhint.jobs import answer, ask
from pursuhint.layers import Layer

TIMEOUT = 120
SMALL_IMAGE = 96
"""Side up to which the CIFAR zoo's students are suggested; above it torchvision's."""
SMALL_STUDENTS = (
    "zoo:resnet20?width=1.125",
    "zoo:resnet32",
    "zoo:resnet20",
    "zoo:resnet14",
    "zoo:resnet8",
    "zoo:resnet8?width=0.25",
    "zoo:wrn_16_2",
    "zoo:wrn_40_1",
    "zoo:wrn_16_1",
)
LARGE_STUDENTS = ("torchvision:resnet34", "torchvision:resnet18", "torchvision:mobilenet_v2")


@dataclass(frozen=True)
class StudentCard:
    """What is known of a student before it is trained."""

    spec: str
    parameters: int
    layers: tuple[Layer, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "spec": self.spec,
            "parameters": self.parameters,
            "layers": [one.as_dict() for one in self.layers],
        }

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> StudentCard:
        """Build a card from `as_dict`'s result."""
        layers = tuple(Layer.from_dict(one) for one in fields["layers"])
        return StudentCard(fields["spec"], fields["parameters"], layers)


def describe_student(spec: str, classes: int, image_shape: tuple[int, int, int]) -> StudentCard:
    """Build a new network in this process and describe it.

    Raises:
        InputError: the name is unknown or the network refuses such images.
    """
    from pursuhint.layers import candidate_layers
    from pursuhint.models import build_model

    built = build_model(spec, classes=classes)
    return StudentCard(built.spec, built.parameters, tuple(candidate_layers(built.model, image_shape)))


def suggest_students(
    parameters: int, classes: int, image_shape: tuple[int, int, int]
) -> Iterable[StudentCard]:
    """Describe the known students that are smaller than a teacher of so many parameters, largest first."""
    names = SMALL_STUDENTS if max(image_shape[1:]) <= SMALL_IMAGE else LARGE_STUDENTS
    cards = [describe_student(name, classes, image_shape) for name in names]
    return sorted((c for c in cards if c.parameters < parameters), key=lambda c: -c.parameters)


def ask_student(spec: str, classes: int, image_shape: tuple[int, int, int]) -> StudentCard:
    """Describe a student from a process that need not import torch; the answer is kept on disk.

    Raises:
        InputError: the name is unknown or the network refuses such images; PursuhintError: no answer came.
    """
    key = hashlib.sha256(json.dumps([spec, classes, image_shape]).encode()).hexdigest()[:16]
    kept = home() / "students" / f"{key}.json"
    if kept.is_file():
        return StudentCard.from_dict(read_json(kept))
    numbers = map(str, (classes, *image_shape))
    printed = ask("pursuhint.probe", spec, *numbers, what=f"describing `{spec}`", timeout=TIMEOUT)
    card = StudentCard.from_dict(json.loads(printed))
    write_json(kept, card.as_dict())
    return card


def main() -> int:
    """Answer the question on the command line."""
    spec, *numbers = sys.argv[1:]
    classes, channels, height, width = map(int, numbers)
    return answer(
        lambda: print(json.dumps(describe_student(spec, classes, (channels, height, width)).as_dict()))
    )


if __name__ == "__main__":
    sys.exit(main())
