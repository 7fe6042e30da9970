"""How named losses fall into parts and terms; no torch here.

A loss is named ``part/pair`` or ``part`` alone. Weights are kept for each part. A part is a term (`cls`,
`logit`, `hint`) or, where a term has several losses, ``term:loss``, as in ``hint:at`` and ``hint:crd``.
"""

from __future__ import annotations

from collections.abc import Iterable


def part_of(name: str) -> str:
    """Return the part that a named loss belongs to.

    Example:
        >>> part_of("hint:at/layer1.2->layer1.0"), part_of("cls")
        ('hint:at', 'cls')
    """
    return name.partition("/")[0]


def term_of(name: str) -> str:
    """Return the term that a named loss or a part belongs to.

    Example:
        >>> term_of("hint/layer1.2->layer1.0"), term_of("hint:at")
        ('hint', 'hint')
    """
    return part_of(name).partition(":")[0]


def parts_in(names: Iterable[str]) -> list[str]:
    """Return the parts of named losses, each once and in their order.

    Example:
        >>> parts_in(["cls", "hint:at/a->b", "hint:at/c->d", "hint:crd/e->f"])
        ['cls', 'hint:at', 'hint:crd']
    """
    return list(dict.fromkeys(part_of(name) for name in names))
