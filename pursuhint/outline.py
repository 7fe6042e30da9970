"""What a torch file declares, found out without torch in a small process whose memory and time are bounded.

A pickle of a few hundred bytes can keep any unpickler busy for years (tuples of tuples, used as a key) or
declare terabytes; no header tells. So ``python -m pursuhint.outline FILE`` reads it first, with stand-ins
that only count for the few names that plain weights need, and ends with one line about what is wrong.
"""

from __future__ import annotations

import pickle
import resource
import sys
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pursuhint.archives import check_archive
from pursuhint.errors import InputError

SAVE_AGAIN = (
    "save the plain weights again where you trust the file: `torch.save(model.state_dict(), 'weights.pt')`"
)
MOST_PICKLED = 64 << 20
"""Bytes of the part that lists names and shapes; a network of ten thousand tensors needs two million."""
MOST_MEMORY = 1 << 30
"""Bytes that the process may have."""
MOST_SECONDS = 4
"""Of a processor, for the list of names and shapes; checksums get more by the file's size."""
CHECKED_A_SECOND = 100_000_000
MAGIC = 0x1950A86A20F9469CFC6C
"""What torch's files from before version 1.6 begin with."""

_BYTES = {
    **dict.fromkeys(("float64", "int64", "uint64", "Double", "Long"), 8),
    **dict.fromkeys(("float32", "int32", "uint32", "Float", "Int"), 4),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16", "Half", "BFloat16", "Short"), 2),
    **dict.fromkeys(("int8", "uint8", "bool", "float8_e4m3fn", "float8_e5m2"), 1),
    **dict.fromkeys(("Char", "Byte", "Bool", "Untyped"), 1),
}


class _Storage(NamedTuple):
    value: int  # bytes of one value
    size: int  # bytes of all


def check_torch_file(path: Path) -> None:
    """Check that a torch file holds plain weights and no more than it has room for.

    Args:
        path: a zip archive (torch 1.6 and later) or a pickle with the values behind it.

    Raises:
        InputError: cut short, damaged, compressed, more than plain weights, or larger than it says.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "w.pt")
        ...     path.write_bytes(pickle.dumps(print))
        ...     check_torch_file(path)
        Traceback (most recent call last):
        ...
        pursuhint.errors.InputError: ...holds more than plain weights: it asks for `builtins.print`, ...
    """
    try:
        with path.open("rb") as file:
            (_check_zip if file.read(2) == b"PK" else _check_stream)(path, file)
    except InputError:
        raise
    except (EOFError, pickle.UnpicklingError) as error:
        if isinstance(error, EOFError) or "truncated" in str(error):
            raise cut_short(path) from None
        raise _not_plain(path) from None
    except MemoryError:
        raise endless(path) from None
    except Exception:  # a damaged stream makes an unpickler raise nearly anything
        raise _not_plain(path) from None


def cut_short(path: Path) -> InputError:
    """Return the error for a file that ends too early or whose bytes have changed."""
    return InputError(
        f"`{path}` is cut short or damaged ({path.stat().st_size:,} bytes); download or copy it again"
    )


def endless(path: Path) -> InputError:
    """Return the error for a file that takes more memory or time to list than any weights do."""
    return InputError(
        f"`{path}` takes more than {MOST_SECONDS} s or {MOST_MEMORY >> 30} GB to list what is in it, as no "
        f"plain weights do; {SAVE_AGAIN}"
    )


def _not_plain(path: Path) -> InputError:
    return InputError(f"`{path}` is a pickle or archive, but not of plain weights; {SAVE_AGAIN}")


def _check_zip(path: Path, file: BinaryIO) -> None:
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        raise cut_short(path) from None
    with archive:
        parts = check_archive(archive, path, compressed=False)
        folder = next(iter(parts), "").partition("/")[0]
        if f"{folder}/constants.pkl" in parts:
            raise InputError(f"`{path}` is a TorchScript program, not plain weights; {SAVE_AGAIN}")
        if f"{folder}/data.pkl" not in parts:
            raise _not_plain(path)
        if parts[f"{folder}/data.pkl"] > MOST_PICKLED:
            raise endless(path)
        room = {name.removeprefix(f"{folder}/data/"): size for name, size in parts.items()}
        with archive.open(f"{folder}/data.pkl") as listed:
            outline = _Outline(listed, path)
            outline.load()
        if any(room.get(key, -1) < storage.size for key, storage in outline.storages.items()):
            raise cut_short(path)
        _allow_seconds(path.stat().st_size // CHECKED_A_SECOND)
        try:
            damaged = archive.testzip()  # torch alone takes a file with changed bytes without a word
        except zipfile.BadZipFile:
            damaged = "its directory"
        if damaged:
            raise cut_short(path)


def _check_stream(path: Path, file: BinaryIO) -> None:
    file.seek(0)
    if _Outline(file, path).load() != MAGIC:
        raise _not_plain(path)
    for _ in range(2):  # the version of the format, then facts about the machine
        _Outline(file, path).load()
    began = file.tell()
    outline = _Outline(file, path)
    outline.load()
    if file.tell() - began > MOST_PICKLED:
        raise endless(path)
    size = path.stat().st_size
    for key in _Outline(file, path).load():
        count = int.from_bytes(file.read(8), "little")
        storage = outline.storages[key]
        if count * storage.value != storage.size or file.tell() + storage.size > size:
            raise cut_short(path)
        file.seek(storage.size, 1)


class _Outline(pickle.Unpickler):
    """Counts what a pickle declares; a name outside of the list ends it, and nothing of torch is called."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        super().__init__(file, encoding="latin1")  # Python 2 wrote bytes for text
        self.path = path
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> object:
        """Return the stand-in of a name."""
        if module == "torch" and name.removesuffix("Storage") in _BYTES:
            return _BYTES[name.removesuffix("Storage")]
        if (module, name) in (("torch.storage", "UntypedStorage"), ("torch.storage", "TypedStorage")):
            return 1
        if f"{module}.{name}" not in _STAND_INS:
            wanted = f"{module}.{name}"
            shown = wanted if wanted.isprintable() and len(wanted) < 100 else "a name that is none"
            raise InputError(
                f"`{self.path}` holds more than plain weights: it asks for `{shown}`, "
                f"and no code from a file is run; {SAVE_AGAIN}"
            )
        return _STAND_INS[f"{module}.{name}"]

    def persistent_load(self, given: Any) -> _Storage:
        """Note a block of values: kind, key, place, number of values."""
        _, value, key, _, count = given[:5]
        storage = _Storage(value, value * count)
        if not isinstance(key, str) or storage.size < 0 or self.storages.setdefault(key, storage) != storage:
            raise pickle.UnpicklingError("a storage that is none")
        return storage


def _tensor(storage: _Storage, offset: int, shape: Sequence[int], strides: Sequence[int], *_: Any) -> None:
    """Check that a tensor lies inside its storage and repeats no value of it."""
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    fits = min(offset, *shape, *strides, 0) == 0 and (last + 1) * storage.value <= storage.size
    if prod(shape) and not (fits and prod(shape) * storage.value <= storage.size):
        raise pickle.UnpicklingError("a tensor outside of its storage")


def _typed_tensor(
    storage: _Storage,
    offset: int,
    shape: Sequence[int],
    strides: Sequence[int],
    gradient: bool,
    hooks: Mapping,
    value: int,
    *_: Any,
) -> None:
    _tensor(_Storage(value, storage.size), offset, shape, strides)


class _Parameter:
    """Stands for the class itself, which files of before torch 0.4 call."""

    def __new__(cls, *_: Any) -> _Parameter:
        return object.__new__(cls)

    def __setstate__(self, _: Any) -> None:
        """Take no state."""


_STAND_INS: dict[str, Callable[..., object]] = {
    "collections.OrderedDict": OrderedDict,
    "collections.Counter": Counter,
    "builtins.set": set,
    "builtins.bytearray": bytearray,
    "_codecs.encode": lambda text, *_: text,
    "torch.Size": tuple,
    "torch.device": lambda *_: None,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _typed_tensor,
    "torch.nn.parameter.Parameter": _Parameter,
    "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
}


def _allow_seconds(more: int) -> None:
    """Let the process have so many seconds more; beyond them the system ends it."""
    limit = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS + more, limit))


def main() -> int:
    """Check the file that the command line names; the exit code is the error's."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _allow_seconds(0)
    try:
        check_torch_file(Path(sys.argv[1]))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
