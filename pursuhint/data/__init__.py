"""Data sets by name: `load_data` turns ``digits``, ``folder:PATH``, ``cifar10:ROOT``, ... into arrays."""

from __future__ import annotations

from pathlib import Path

from pursuhint.data.cifar import load_cifar
from pursuhint.data.digits import load_digits
from pursuhint.data.fake import load_fake
from pursuhint.data.folder import load_folder
from pursuhint.data.images import ImageData, Split
from pursuhint.errors import InputError, unknown
from pursuhint.home import home
from pursuhint.progress import Progress, silent

__all__ = ["ImageData", "Split", "load_data"]

SPECS = ("digits", "folder:PATH", "cifar10[:ROOT]", "cifar100[:ROOT]", "fake")


def load_data(spec: str, *, progress: Progress = silent) -> ImageData:
    """Load a data set.

    Args:
        spec: ``digits`` (ships with the project), ``folder:PATH`` (PATH/train/<class>/* and PATH/test/ or
            val/), ``cifar10[:ROOT]``, ``cifar100[:ROOT]`` (ROOT defaults to ``data`` in the user's data
            folder) or ``fake``.
        progress: is told about decoding, which happens once.

    Raises:
        InputError: the name is unknown or what it points at cannot be used.

    Example:
        >>> load_data("digits").classes[:3]
        ('0', '1', '2')
    """
    kind, _, place = spec.partition(":")
    if kind == "digits":
        return load_digits()
    if kind == "fake":
        return load_fake()
    if kind in ("cifar10", "cifar100"):
        return load_cifar(kind, Path(place) if place else home() / "data")
    if kind == "folder":
        if not place:
            raise InputError("`folder` needs a path: write `folder:/path/to/images`")
        return load_folder(Path(place), progress=progress)
    if Path(spec).expanduser().is_dir():
        raise InputError(f"`{spec}` is a folder: write `folder:{spec}`")
    raise unknown("data set", spec, SPECS)
