"""Weight files: safetensors and torch, by content, with one clear refusal for everything else."""

from __future__ import annotations

import difflib
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pursuhint.errors import InputError

WRAPPERS = (
    "state_dict",
    "model",
    "net",
    "model_state",
    "model_state_dict",
    "student",
    "state_dict_ema",
    "ema",
)
LARGEST_HEADER = 100_000_000  # bytes; the safetensors format allows no more
MOST_NAMED = 5

_TO_DO = (
    "save the plain weights again where you trust the file: `torch.save(model.state_dict(), 'weights.pt')`"
)


class Weights(dict[str, Tensor]):
    """A state dict that remembers what was said while it was read.

    Attributes:
        notes: sentences such as "taken from the entry `state_dict`; left aside: `best_prec1`".
    """

    def __init__(self, tensors: Mapping[str, Tensor], notes: tuple[str, ...] = ()) -> None:
        super().__init__(tensors)
        self.notes = notes


def read_weights(path: str | Path) -> Weights:
    """Read a state dict from a safetensors or torch file; its content decides, not the ending of its name.

    Torch files (.pt, .pth, .th, .bin, .ckpt, .tar) go through ``torch.load(weights_only=True)``, so a pickle
    can never run code. Wrappers (`WRAPPERS`) are opened; the notes say which entry was taken.

    Args:
        path: the file.

    Returns:
        Names and tensors, on the CPU.

    Raises:
        InputError: no such file, a folder, empty, cut short, not a weight file, more than plain weights in
            it, or values that are NaN or infinite.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     torch.save({"state_dict": {"fc.bias": torch.zeros(2)}, "epoch": 3}, f"{folder}/last.pth")
        ...     read_weights(f"{folder}/last.pth").notes
        ('taken from the entry `state_dict`; left aside: `epoch`',)
    """
    path = Path(path)
    if _container(path) == "safetensors":
        weights = Weights(_read_safetensors(path))
    else:
        weights = _unwrap(_read_torch(path), path)
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all():
            raise InputError(f"`{path}`: `{name}` holds NaN or infinite values; take an earlier checkpoint")
    return weights


def _container(path: Path) -> Literal["safetensors", "torch"]:
    """Tell by its first bytes what a file is; refuse what cannot hold weights, with the reason."""
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise InputError(f"`{path}` must be a weight file, found a folder; name the file inside it")
        if not path.is_file():
            raise InputError(f"`{path}` must be a weight file, found a device or pipe; name a file")
        with path.open("rb") as file:
            start = file.read(512)
    except FileNotFoundError:
        raise InputError(f"no such weight file: `{path}`{_nearest_file(path)}; check the path") from None
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}; check the path and its rights") from None
    if not start:
        raise InputError(f"`{path}` is empty (0 bytes); download or copy it again")
    header = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and header <= LARGEST_HEADER:
        if header > size - 8:
            raise _cut_short(path)
        return "safetensors"
    if start.startswith((b"PK", b"\x80")):
        return "torch"
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise InputError(
            f"`{path}` is a web page (HTML), not weights; the download failed, fetch the file itself"
        )
    if start.startswith(b"version https://git-lfs"):
        raise InputError(f"`{path}` is a Git LFS pointer, not weights; fetch the file with `git lfs pull`")
    raise InputError(
        f"`{path}` must be a safetensors or torch weight file, found {start[:8]!r} at its start; {_TO_DO}"
    )


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _cut_short(path) from error


def _read_torch(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            # torch warns about pickles of another protocol; what it cannot read is refused below.
            warnings.filterwarnings("ignore", message="Detected pickle protocol", category=UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged stream makes the restricted unpickler raise nearly anything
        text = str(error)
        wanted = re.search(r"GLOBAL ([\w.]+)", text)
        if wanted:
            raise InputError(
                f"`{path}` holds more than plain weights: it asks for `{wanted[1]}`, "
                f"and no code from a file is run; {_TO_DO}"
            ) from None
        if "TorchScript" in text:
            raise InputError(f"`{path}` is a TorchScript program, not plain weights; {_TO_DO}") from None
        if _looks_cut_short(error, path):
            raise _cut_short(path) from None
        raise InputError(f"`{path}` is a pickle or archive, but not of plain weights; {_TO_DO}") from None


def _looks_cut_short(error: Exception, path: Path) -> bool:
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if is_zip:
        return not zipfile.is_zipfile(path)
    return isinstance(error, EOFError) or "unexpected EOF" in str(error) or "truncated" in str(error)


def _cut_short(path: Path) -> InputError:
    return InputError(
        f"`{path}` is cut short or damaged ({path.stat().st_size:,} bytes); download or copy it again"
    )


def _nearest_file(path: Path) -> str:
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = difflib.get_close_matches(path.name, names, n=1)
    return f", did you mean `{nearest[0]}`?" if nearest else ""


def _unwrap(content: object, path: Path) -> Weights:
    notes: tuple[str, ...] = ()
    while isinstance(content, Mapping):
        if content and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items()):
            return Weights(content, notes)
        entry = next((name for name in WRAPPERS if isinstance(content.get(name), Mapping)), None)
        if entry is None:
            break
        aside = ", ".join(f"`{name}`" for name in content if name != entry)
        notes += (f"taken from the entry `{entry}`" + (f"; left aside: {aside}" if aside else ""),)
        content = content[entry]
    raise InputError(f"`{path}` must hold names and tensors, found {_described(content)}; {_TO_DO}")


def _described(content: object) -> str:
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}"
    others = [f"`{k}` ({type(v).__name__})" for k, v in content.items() if not isinstance(v, Tensor)]
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    return (", ".join(others[:MOST_NAMED]) + more) or "an empty dict"
