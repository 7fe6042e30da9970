"""Names of layers for where there is little room: without what all share, and still told apart."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

LONGEST = 18
"""Letters that a short name has at most, wherever names of that length can be told apart."""
WORDS = re.compile(r"\d+|[^\W\d_]+")
GAP = "…"


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names without what all of them begin and end with; what is still long keeps what tells it apart.

    A number is never cut in two, and only whole parts between dots are left out at the end. Names that differ
    have short names that differ.

    Example:
        >>> short_names(["layer1.10", "layer1.11", "layer2.0"]), short_names(["features", "layer1.0"])
        (('1.10', '1.11', '2.0'), ('features', 'layer1.0'))
        >>> short_names(["stages.1.blocks.4.conv", "stages.1.blocks.5.conv", "stages.2.blocks.4.conv"])
        ('1.blocks.4', '1.blocks.5', '2.blocks.4')
        >>> short_names(["layer1.0", "layer2.0", "layer3.0"])
        ('1.0', '2.0', '3.0')
        >>> short_names(["stem", "backbone.stages.1.blocks.4", "backbone.stages.2.blocks.4"])
        ('stem', 'backbone…1…', 'backbone…2…')
    """
    whole = tuple(names)
    if len(whole) < 2:
        return whole
    common = os.path.commonprefix(whole).rstrip("0123456789")
    shorter = _all_or(whole, [name[len(common) :] for name in whole])
    ends = os.path.commonprefix([name.split(".")[:0:-1] for name in shorter])
    worded = not all(part.isdigit() for part in ends)  # `2.0` says more than `2`
    shared = "".join(f".{part}" for part in reversed(ends)) if worded else ""
    shorter = _all_or(shorter, [name.removesuffix(shared) for name in shorter])
    return _distinct_or(shorter, [_telling(name, shorter) for name in shorter])


def fitting_names(names: Sequence[str], letters: int) -> tuple[str, ...]:
    """Return names as they are if none has more letters, else short ones, cut where they can be told apart.

    Example:
        >>> fitting_names(["layer1.0", "layer1.1"], 8), fitting_names(["layer1.0", "layer1.1"], 7)
        (('layer1.0', 'layer1.1'), ('0', '1'))
        >>> fitting_names(["features", "classifier"], 7)
        ('fea…res', 'cla…ier')
    """
    if all(len(name) <= letters for name in names):
        return tuple(names)
    short = short_names(names)
    return _distinct_or(short, [cut_in_the_middle(name, letters) for name in short])


def cut_in_the_middle(name: str, letters: int) -> str:
    """Return a name with at most so many letters: it keeps both its ends.

    Example:
        >>> cut_in_the_middle("classifier", 6), cut_in_the_middle("stem", 6)
        ('cla…er', 'stem')
    """
    if len(name) <= letters:
        return name
    return name[: letters // 2] + GAP + name[len(name) - (letters - 1) // 2 :]


def _telling(name: str, names: Sequence[str]) -> str:
    """Leave out the words of a long name in which it parts from none of the others."""
    if len(name) <= LONGEST:
        return name
    parts = {len(os.path.commonprefix([name, other])) for other in names if other != name}
    kept, end = "", 0
    for word in WORDS.finditer(name):
        if any(word.start() <= place < word.end() for place in parts):
            between = name[end : word.start()]
            kept += (between if len(between) <= len(GAP) else GAP) + word.group()
            end = word.end()
    return kept + GAP * (end < len(name))


def _all_or(names: tuple[str, ...], shorter: Sequence[str]) -> tuple[str, ...]:
    """Return the shorter names, or the names if one of them would be empty."""
    return tuple(shorter) if all(shorter) else names


def _distinct_or(names: tuple[str, ...], shorter: Sequence[str]) -> tuple[str, ...]:
    """Return the shorter names, or the names if two of them would be alike."""
    return tuple(shorter) if len(set(shorter)) == len(set(names)) else names
