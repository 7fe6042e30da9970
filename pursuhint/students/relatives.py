"""The family of a teacher: which networks of its kind could be its student."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from pursuhint.errors import InputError
from pursuhint.files import read_json
from pursuhint.models import ASSETS, ModelSpec, model_names, parse_spec
from pursuhint.students.card import describe_student
from pursuhint.zoo import ZOO, ZooName, parse_zoo_name
from pursuhint.zoo.sizes import zoo_flops, zoo_parameters

STEPS = 200
"""Widths are tried in steps of 0.005: short to write, and below one channel of a stage of 128."""
NARROWEST = 0.05
"""Leaves one channel of sixteen."""
_SIZES = re.compile(
    "atto|femto|pico|nano|micro|mini|x*tiny|x*small|medium|little|base|x*large|huge|giant|gigantic|x*s|[tmblhn]"
)
_KEPT = re.compile(r"patch\d+|window\d+|.*v\d|1[6-9]\d|[2-9]\d\d")
"""Parts of a name whose number is no size: patches, windows, versions, sides of images from 160 on."""


@dataclass(frozen=True)
class Relative:
    """A network of the teacher's family.

    Attributes:
        spec: its name in full.
        group: of relatives that differ in width only; one of them is proposed.
        depth: orders relatives that are equally near.
    """

    spec: str
    parameters: int
    flops: int
    group: str
    depth: int = 0


def family_of(teacher_spec: str, classes: int, image_shape: tuple[int, int, int]) -> list[Relative]:
    """List the relatives of a teacher, itself among them.

    Of the zoo: every depth of the table up to the teacher's, in every width up to the teacher's: narrower at
    the same depth, shallower at the same width, or both. Depths outside the table are left out: `resnet50`
    and its like are torchvision's. Of torchvision and timm: the names that differ from the teacher's in the
    numbers and words of size only, as far as they take such images.

    Raises:
        InputError: the teacher is unknown.

    Example:
        >>> {one.group for one in family_of("zoo:resnet20", 10, (3, 32, 32))} == {"8", "14", "20"}
        True
    """
    wanted = parse_spec(teacher_spec)
    if wanted.source == "builtin":
        wanted = parse_spec(read_json(ASSETS / "teachers" / f"{wanted.name}.json")["model"])
    if wanted.source != "zoo":
        return list(_namesakes(wanted, classes, image_shape))
    teacher = parse_zoo_name(str(wanted).removeprefix("zoo:"))
    found: dict[tuple[int, tuple[int, ...]], ZooName] = {}
    for name in _scaled(teacher):
        key = name.architecture.depth, name.architecture.scaled(name.width)
        same = found.get(key, name)
        found[key] = min(same, name, key=lambda one: len(str(one)))
    return [
        Relative(
            f"zoo:{name}",
            zoo_parameters(name, classes),
            zoo_flops(name, classes, image_shape),
            str(depth),
            depth,
        )
        for (depth, _), name in found.items()
    ]


def _scaled(teacher: ZooName) -> Iterator[ZooName]:
    """Yield the zoo networks that are nowhere wider and not deeper than the teacher."""
    own = teacher.architecture
    most = own.scaled(teacher.width)
    for row, architecture in ZOO.items():
        if architecture.family != own.family or architecture.depth > own.depth:
            continue
        widest = max(wide / narrow for wide, narrow in zip(most, architecture.widths, strict=True))
        widths = [step / STEPS for step in range(int(NARROWEST * STEPS), int(widest * STEPS) + 1)]
        for width in (*widths, teacher.width):
            fits = (a <= b for a, b in zip(architecture.scaled(width), most, strict=True))
            if all(fits):
                yield replace(teacher, name=row, width=width)


def _namesakes(teacher: ModelSpec, classes: int, image_shape: tuple[int, int, int]) -> Iterator[Relative]:
    """Yield the networks of a registry whose names have the same stem."""
    tag = teacher.name.partition(".")[0]
    for name in model_names(teacher.source):
        if stem(name) != stem(tag):
            continue
        with suppress(InputError):  # it refuses such images
            card = describe_student(f"{teacher.source}:{name}", classes, image_shape)
            yield Relative(card.spec, card.parameters, card.flops, card.spec)


def stem(name: str) -> str:
    """Return what the names of a family have in common: numbers and words of size become ``#``.

    Example:
        >>> stem("resnet50"), stem("vit_small_patch16_224"), stem("regnet_x_1_6gf"), stem("vgg16_bn")
        ('resnet#', 'vit_#_patch16_224', 'regnet_x_#', 'vgg#_bn')
    """
    parts: list[str] = []
    for part in name.split("_"):
        if not _KEPT.fullmatch(part):
            part = "#" if _SIZES.fullmatch(part) or part[:1].isdigit() else re.sub(r"\d+", "#", part)
        if part != "#" or parts[-1:] != ["#"]:
            parts.append(part)
    return "_".join(parts)
