"""Weight files: safetensors and torch, by content, with one clear refusal for everything else."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import psutil
import torch
from safetensors.torch import load_file
from torch import Tensor

from pursuhint.errors import InputError, PursuhintError
from pursuhint.files import in_bytes
from pursuhint.jobs import ask
from pursuhint.outline import SAVE_AGAIN, cut_short, endless

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

PATIENCE = 600.0
"""Seconds of waiting for a file to be listed: a machine under load is slower than any file."""
LONGEST_NAME = 256
MOST_SHARED = 16
"""How often its file's size the tensors may come to: layers that share weights share them in the file."""
DEEPEST = 4
"""Wrappers inside wrappers that are opened; a dict may hold itself."""
PLAIN = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
}
"""Number formats that a layer's values may have."""


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

    Torch files (.pt, .pth, .th, .bin, .ckpt, .tar) are listed first in a process that neither runs code nor
    takes much memory or time (`pursuhint.outline`), then go through ``torch.load(weights_only=True)``. A
    safetensors file tells all of its sizes in its header. Wrappers (`WRAPPERS`) are opened; the notes say
    which entry was taken.

    Args:
        path: the file.

    Returns:
        Names and tensors, on the CPU.

    Raises:
        InputError: no such file, a folder, empty, cut short, larger than the memory, not a weight file, more
            than plain weights in it, or values that are NaN or infinite.

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
    if sum(tensor.nbytes for tensor in weights.values()) > MOST_SHARED * path.stat().st_size:
        raise InputError(
            f"`{path}` gives the same values to more than {MOST_SHARED} tensors each, which no network does; "
            f"{SAVE_AGAIN}"
        )
    for name, tensor in weights.items():
        _check_tensor(path, name, tensor)
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
    _check_size(path, size)
    header = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and header <= LARGEST_HEADER:
        if header > size - 8:
            raise cut_short(path)
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
        f"`{path}` must be a safetensors or torch weight file, found {start[:8]!r} at its start; {SAVE_AGAIN}"
    )


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except Exception as error:  # damage shows as an error of the format, of the system or of torch
        raise cut_short(path) from error


def _read_torch(path: Path) -> object:
    try:
        ask("pursuhint.outline", str(path), what=f"listing `{path}`", timeout=PATIENCE)
    except InputError:
        raise
    except PursuhintError:  # ended by the system at its limits, or waited for in vain
        raise endless(path) from None
    try:
        with warnings.catch_warnings():
            # torch warns about pickles of another protocol; what it cannot read is refused below.
            warnings.filterwarnings("ignore", message="Detected pickle protocol", category=UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what the outline let pass and torch does not know
        raise InputError(
            f"`{path}` is a pickle or archive, but not of plain weights; {SAVE_AGAIN}"
        ) from error


def _check_size(path: Path, size: int) -> None:
    """Refuse a file that is larger than the memory: a sparse one can say so and take no space on disk."""
    free = psutil.virtual_memory().available
    if size > free:
        raise InputError(
            f"`{path}` has {in_bytes(size)}, and {in_bytes(free)} of memory are free; take a smaller "
            "checkpoint or end other programs"
        )


def _check_tensor(path: Path, name: str, tensor: Tensor) -> None:
    """Refuse what no layer of a network holds, and names that could not be shown."""
    if not name.isprintable() or "`" in name or len(name) > LONGEST_NAME:
        raise InputError(
            f"`{path}` holds a tensor under a name that is none ({len(name):,} characters, starting "
            f"{ascii(name[:20])}); {SAVE_AGAIN}"
        )
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu" and tensor.dtype in PLAIN
    if not plain:
        raise InputError(
            f"`{path}`: `{name}` is no plain tensor of numbers ({tensor.dtype}, {tensor.layout}); "
            f"{SAVE_AGAIN}"
        )
    # Formats of one byte know no test of their own.
    values = tensor.float() if tensor.is_floating_point() and tensor.itemsize == 1 else tensor
    if not torch.isfinite(values).all():
        raise InputError(f"`{path}`: `{name}` holds NaN or infinite values; take an earlier checkpoint")


def _nearest_file(path: Path) -> str:
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = difflib.get_close_matches(path.name, names, n=1)
    return f", did you mean `{nearest[0]}`?" if nearest else ""


def _unwrap(content: object, path: Path) -> Weights:
    notes: tuple[str, ...] = ()
    for _ in range(DEEPEST + 1):
        if not isinstance(content, Mapping):
            break
        if content and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items()):
            return Weights(content, notes)
        entry = next((name for name in WRAPPERS if isinstance(content.get(name), Mapping)), None)
        if entry is None:
            break
        aside = ", ".join(_named([_shown(name) for name in content if name != entry]))
        notes += (f"taken from the entry `{entry}`" + (f"; left aside: {aside}" if aside else ""),)
        content = content[entry]
    raise InputError(f"`{path}` must hold names and tensors, found {_described(content)}; {SAVE_AGAIN}")


def _described(content: object) -> str:
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}"
    others = [(name, value) for name, value in content.items() if not isinstance(value, Tensor)]
    return ", ".join(_named([f"{_shown(n)} ({type(v).__name__})" for n, v in others])) or "an empty dict"


def _named(found: list[str]) -> list[str]:
    more = [f"and {len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else []
    return found[:MOST_NAMED] + more


def _shown(name: object) -> str:
    """Write the name of an entry, which may be anything, on one line."""
    return f"`{ascii(name[:40])[1:-1]}`" if isinstance(name, str) else f"a {type(name).__name__}"
