"""The file of moments: an .npz without pickled objects, whole or absent."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pursuhint.errors import InputError
from pursuhint.files import read_npz, write_atomic
from pursuhint.similarity.basis import Basis
from pursuhint.similarity.moments import Moments

FORMAT = 1


def save_moments(moments: Moments, path: Path) -> None:
    """Write moments; float64 throughout.

    Raises:
        StorageError: the file cannot be written.
    """
    settings = {
        "format": FORMAT,
        "widths": moments.widths,
        "ranks": dict(zip(moments.layers, moments.ranks, strict=True)),
        "measured_on": moments.measured_on,
    }
    arrays = {"settings": json.dumps(settings), "sums": moments.sums.astype(np.float64)}
    for part in ("mean", "singular_values", "directions"):
        arrays[part] = np.concatenate([np.empty(0), *(getattr(one, part).ravel() for one in moments.bases)])
    write_atomic(path, lambda file: np.savez(file, **arrays))


def load_moments(path: Path) -> Moments:
    """Read what `save_moments` wrote.

    Raises:
        InputError: no such file, or not whole moments of this format.
    """
    arrays = read_npz(path, what="moments of features")
    try:
        settings = json.loads(str(arrays["settings"]))
        if settings["format"] != FORMAT:
            raise InputError(
                f"`{path}` must have format {FORMAT}: found {settings['format']}; "
                "write it again with this version"
            )
        return _moments(settings, arrays)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"`{path}` must hold moments of features: {error}; measure them again") from None


def _moments(settings: dict, arrays: dict[str, np.ndarray]) -> Moments:
    ranks, widths = settings["ranks"], settings["widths"]
    shapes = [(widths[name], rank) for name, rank in ranks.items()]
    means = _cut(arrays["mean"], [(width,) for width, _ in shapes])
    singular_values = _cut(arrays["singular_values"], [(rank,) for _, rank in shapes])
    directions = _cut(arrays["directions"], shapes)
    bases = tuple(Basis(*parts) for parts in zip(means, singular_values, directions, strict=True))
    size = sum(ranks.values()) + len(ranks) + 1
    if arrays["sums"].shape != (size, size):
        raise ValueError(f"`sums` is {arrays['sums'].shape}, not {(size, size)}")
    if not all(np.isfinite(arrays[name]).all() for name in arrays if name != "settings"):
        raise ValueError("values that are not finite")
    return Moments(tuple(ranks), bases, widths, arrays["sums"], settings["measured_on"])


def _cut(flat: np.ndarray, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    sizes = [int(np.prod(shape)) for shape in shapes]
    if flat.shape != (sum(sizes),):
        raise ValueError(f"{flat.size} values where {sum(sizes)} were expected")
    parts = np.split(flat, np.cumsum(sizes))[:-1]
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
