"""Under which circumstances a run trains, and what of them has changed when it goes on."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pursuhint.errors import PursuhintError

PACKAGES = ("pursuhint", "torch", "torchvision", "lightning-fabric")
LIBRARY = Path(__file__).parents[1]


def circumstances() -> dict[str, Any]:
    """Return the versions that a run trains with.

    Returns:
        ``versions`` of the packages, ``python``, ``machine`` and ``code``, see `code_id`.

    Example:
        >>> sorted(circumstances())
        ['code', 'machine', 'python', 'versions']
    """
    return {
        "versions": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "code": code_id(),
    }


@cache
def code_id() -> str:
    """Return 16 hexadecimal digits of a hash over the library's source, wherever it lies."""
    found = hashlib.sha256()
    for path in sorted(LIBRARY.rglob("*.py")):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        found.update(f"{path.relative_to(LIBRARY).as_posix()} {content}\n".encode())
    return found.hexdigest()[:16]


def check_same_data(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on where the steps of an epoch are other ones than before.

    Args:
        before: the ``start`` event of the run's earlier part.
        now: that of the part to come.

    Raises:
        PursuhintError: the number of training images has changed.

    Example:
        >>> check_same_data({"n_train": 100}, {"n_train": 100})
    """
    if before["n_train"] != now["n_train"]:
        raise PursuhintError(
            f"the run trained on {before['n_train']:,} images until here and the data now has "
            f"{now['n_train']:,}; put the data back and resume, or start the run anew"
        )


def what_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say in words what a resumed run does under other circumstances than its earlier part.

    Args:
        before: the ``start`` event of the earlier part.
        now: that of the part to come.

    Returns:
        A warning each; none when the figures must be those of an uninterrupted run.

    Example:
        >>> what_changed({"python": "3.11.2", "versions": {}}, {"python": "3.12.0", "versions": {}})
        ['Python was 3.11.2 until here and is 3.12.0 now; figures can differ from an uninterrupted run']
    """
    pairs = [("Python", before.get("python"), now.get("python"))]
    packages = now["versions"].keys() | before["versions"].keys()
    pairs += [(name, before["versions"].get(name), now["versions"].get(name)) for name in sorted(packages)]
    pairs += [(name, before.get(name), now.get(name)) for name in ("device", "machine")]
    found = [
        f"{what} was {old} until here and is {new} now; figures can differ from an uninterrupted run"
        for what, old, new in pairs
        if old != new
    ]
    if before.get("code") != now.get("code") and before["versions"] == now["versions"]:
        found.append(
            "the code of pursuhint has changed since the run began; figures can differ from an "
            "uninterrupted run"
        )
    if before.get("data_id") != now.get("data_id"):
        found.append(
            "the images or labels have changed since the run began: what it learnt until here it learnt from "
            "others; start it anew if that was not meant"
        )
    return found
