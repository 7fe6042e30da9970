"""Files that nobody should have to fear: weights, plans and images, damaged at random or made to harm."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Write = Callable[[Path], object]
FAR = 1 << 40
"""A number of values, or of bytes, that no memory holds."""


def mutated(whole: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Return a way of damaging a file and what it leaves."""
    content, at = bytearray(whole), chance.randrange(len(whole))
    length = min(chance.choice((1, 8, 64, 4096)), len(whole))
    way = chance.choice(("bits", "bytes", "cut", "zeros", "twice", "gone", "swapped", "head"))
    if way == "bits":
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif way == "bytes":
        content[at : at + length] = chance.randbytes(length)
    elif way == "cut":
        del content[at:]
    elif way == "zeros":
        content[at : at + length] = bytes(length)
    elif way == "twice":
        content[at:at] = content[at : at + length]
    elif way == "gone":
        del content[at : at + length]
    elif way == "swapped":
        content = content[at:] + content[:at]
    else:  # where sizes and names stand
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(min(512, len(content)))] = chance.randrange(256)
    return way, bytes(content)


def whole_checkpoints() -> dict[str, bytes]:
    """Return the same small network as each kind of weight file."""
    import torch
    from safetensors.torch import save

    from pursuhint.zoo import build_zoo

    tensors = build_zoo("resnet8?width=0.25", classes=10).state_dict()
    files = {"safetensors": save(tensors)}
    for kind, zipped in (("zip", True), ("stream", False)):
        buffer = io.BytesIO()
        torch.save({"state_dict": tensors, "epoch": 3}, buffer, _use_new_zipfile_serialization=zipped)
        files[kind] = buffer.getvalue()
    return files


# Pickles that would run code


class Gadget:
    """Calls something when an ordinary unpickler reads it."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def with_code(trap: Path) -> Iterator[tuple[str, Write]]:
    """Yield weight files whose pickle makes the file `trap` when it is read by an ordinary unpickler.

    Each way of running code, as each kind of torch file and by each protocol of pickles.
    """
    import runpy
    import shutil
    import subprocess

    code = f"open({str(trap)!r}, 'w').close()"
    ways = {
        "system": Gadget(os.system, f"touch '{trap}'"),
        "popen": Gadget(os.popen, f"touch '{trap}'"),
        "mkdir": Gadget(os.mkdir, str(trap)),
        "exec": Gadget(exec, code),
        "eval": Gadget(eval, code),
        "open": Gadget(open, str(trap), "w"),
        "subprocess": Gadget(subprocess.check_call, ["touch", str(trap)]),
        "copy": Gadget(shutil.copy, __file__, str(trap)),
        "module": Gadget(runpy.run_path, str(trap)),
        "getattr": Gadget(getattr, os, "system"),
    }
    for name, gadget in ways.items():
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            try:
                listed = pickle.dumps({"state_dict": {}, "x": gadget}, protocol=protocol)
            except (TypeError, pickle.PicklingError):
                continue
            yield f"{name}, protocol {protocol}, bare", lambda path, c=listed: path.write_bytes(c)
            yield f"{name}, protocol {protocol}, zip", lambda path, c=listed: zipped(path, c)
            yield f"{name}, protocol {protocol}, stream", lambda path, c=listed: streamed(path, c)


def zipped(path: Path, listed: bytes, parts: dict[str, bytes] | None = None, **how: Any) -> None:
    """Write a torch file of today's kind around a pickle; `parts` are its storages by name."""
    with zipfile.ZipFile(path, "w", **how) as archive:
        archive.writestr("w/data.pkl", listed)
        archive.writestr("w/version", b"3\n")
        for name, content in (parts or {}).items():
            archive.writestr(name, content)


def streamed(path: Path, listed: bytes, keys: tuple[str, ...] = (), values: bytes = b"") -> None:
    """Write a torch file of before version 1.6 around a pickle; `values` stand behind it."""
    machine = {
        "protocol_version": 1001,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    begin = (pickle.dumps(part, protocol=2) for part in (0x1950A86A20F9469CFC6C, 1001, machine))
    path.write_bytes(b"".join(begin) + listed + pickle.dumps(list(keys), protocol=2) + values)


# Files that declare more than there is


def declared(shape: tuple[int, ...], strides: tuple[int, ...], count: int, name: str = "w") -> bytes:
    """Return the pickle of a state dict with one float32 tensor that is said to have this form."""

    def put(value: Any) -> bytes:
        return pickle.dumps(value, protocol=2)[2:-1]

    storage = b"(" + put("storage") + b"ctorch\nFloatStorage\n" + put("0") + put("cpu") + put(count) + b"tQ"
    hooks = b"ccollections\nOrderedDict\n)R"
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + put(0)
        + put(shape)
        + put(strides)
        + b"\x89"
        + hooks
    )
    return b"\x80\x02}" + put(name) + tensor + b"tRs."


def safetensors(header: dict[str, Any] | bytes, values: bytes = b"") -> bytes:
    """Return a safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def one_tensor(shape: list[int], end: int, kind: str = "F32", name: str = "w") -> dict[str, Any]:
    """Return a safetensors header that declares one tensor."""
    return {name: {"dtype": kind, "shape": shape, "data_offsets": [0, end]}}


def doubling(depth: int) -> bytes:
    """Return a pickle whose key, a tuple of twice a tuple of twice ..., takes 2^depth steps to hash."""
    twice = b"".join(b"q%ch%c\x86" % (level, level) for level in range(depth))
    return b"\x80\x02}K\x00\x85" + twice + b"K\x01s."


def bombs() -> dict[str, Write]:
    """Return files that are small and claim, name or ask for what is not."""
    zeros = bytes(64 << 20)
    itself = b"\x80\x02}q\x00X\x0a\x00\x00\x00state_dicth\x00s."
    kinds: dict[str, Write] = {
        "a compressed storage": lambda p: zipped(
            p, declared((1 << 24,), (1,), 1 << 24), {"w/data/0": zeros}, compression=zipfile.ZIP_DEFLATED
        ),
        "entries that overlap": _overlapping,
        "an entry of terabytes": _lying,
        "names that leave the archive": lambda p: zipped(p, b"\x80\x02}.", {"../../trap": b"", "/trap": b""}),
        "a name twice": _twice,
        "an archive of archives": lambda p: zipped(p, zlib.compress(zeros)),
        "more values than are there": lambda p: zipped(p, declared((FAR,), (1,), FAR), {"w/data/0": b"1234"}),
        "one value a million times": lambda p: zipped(p, declared((FAR,), (0,), 1), {"w/data/0": b"1234"}),
        "a tensor outside of its storage": lambda p: zipped(
            p, declared((2,), (FAR,), 1), {"w/data/0": b"1234"}
        ),
        "a negative shape": lambda p: zipped(p, declared((-1,), (1,), 1), {"w/data/0": b"1234"}),
        "a storage that is missing": lambda p: zipped(p, declared((1,), (1,), 1)),
        "a stream of terabytes": lambda p: streamed(
            p, declared((FAR,), (1,), FAR), ("0",), struct.pack("<q", FAR) + b"1234"
        ),
        "a key that takes ages": lambda p: zipped(p, doubling(60)),
        "a key that takes ages, stream": lambda p: streamed(p, doubling(60)),
        "a dict in itself": lambda p: zipped(p, itself),
        "a list of a million lists": lambda p: zipped(
            p, b"\x80\x02" + b"]" * 10**6 + b"a" * (10**6 - 1) + b"."
        ),
        "a tuple of a million tuples": lambda p: zipped(p, b"\x80\x02)" + b"\x85" * 10**6 + b"."),
        "a text of exabytes": lambda p: zipped(p, b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b"x."),
        "a memo of billions": lambda p: zipped(p, b"\x80\x02Nr\xff\xff\xff\xff."),
        "half a gigabyte of nothing": lambda p: streamed(p, b"\x80\x02(" + b"N" * (300 << 20) + b"l."),
        "bytes of an array": lambda p: zipped(
            p, b"\x80\x02cbuiltins\nbytearray\n\x8a\x06" + bytes(5) + b"\x10\x85R."
        ),
        "a sparse tensor": _sparse,
        "a complex tensor": _complex,
        "a name over two lines": lambda p: p.write_bytes(
            safetensors(one_tensor([1], 4, name="a\nb"), b"1234")
        ),
        "a name that ends the quotes": lambda p: p.write_bytes(
            safetensors(one_tensor([1], 4, name="a` ![x](http://x)"), b"1234")
        ),
        "a name of a megabyte": lambda p: zipped(
            p, declared((1,), (1,), 1, "n" * 10**6), {"w/data/0": b"1234"}
        ),
        "a header of exabytes": lambda p: p.write_bytes(struct.pack("<Q", 1 << 62) + b'{"w":'),
        "a header that is longer than the file": lambda p: p.write_bytes(
            struct.pack("<Q", 90_000_000) + b"{}"
        ),
        "a header that nests": lambda p: p.write_bytes(safetensors(b'{"w":' * 10**5)),
        "a shape of terabytes": lambda p: p.write_bytes(safetensors(one_tensor([FAR], 4 * FAR), b"1234")),
        "a shape that overflows": lambda p: p.write_bytes(safetensors(one_tensor([1 << 32] * 3, 0))),
        "offsets that go back": lambda p: p.write_bytes(
            safetensors({"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, b"1234")
        ),
        "values of half a byte": lambda p: p.write_bytes(safetensors(one_tensor([8], 4, "F4"), b"1234")),
        "a terabyte of zeros, all sparse": _sparse_file,
        "a link to itself": lambda p: p.symlink_to(p.name),
        "a link to nothing": lambda p: p.symlink_to("nowhere"),
        "a link to a device": lambda p: p.symlink_to("/dev/zero"),
        "a link to a system file": lambda p: p.symlink_to("/etc/passwd"),
        "a link to a memory": lambda p: p.symlink_to("/proc/self/mem"),
        "a pipe": lambda p: os.mkfifo(p),
        "a folder": lambda p: p.mkdir(),
    }
    return kinds


def _overlapping(path: Path) -> None:
    """Write an archive with a directory in which a thousand entries share the same bytes."""
    zipped(path, b"\x80\x02}.", {"w/data/0": bytes(10**6)})
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    entry, start = content[at:end], content.index(b"PK\x01\x02")
    copies = b"".join(entry.replace(b"w/data/0", b"w/%06d" % number) for number in range(1000))
    directory = content[start:end] + copies
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1003, 1003, len(directory), start, 0)
    path.write_bytes(content[:start] + directory + tail)


def _lying(path: Path) -> None:
    """Write an archive whose directory gives a storage of four bytes four gigabytes."""
    zipped(path, declared((1,), (1,), 1), {"w/data/0": b"1234"})
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 20 : at + 28] = struct.pack("<LL", 0xFFFFFFF0, 0xFFFFFFF0)
    path.write_bytes(content)


def _twice(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for content in (b"\x80\x02}.", b"\x80\x02)."):
            info = zipfile.ZipInfo("w/data.pkl")
            archive.NameToInfo.clear()  # no warning
            archive.writestr(info, content)


def _sparse(path: Path) -> None:
    import torch

    with torch.sparse.check_sparse_tensor_invariants():
        torch.save({"w": torch.sparse_coo_tensor([[0]], [1.0], (1 << 40,))}, path)


def _complex(path: Path) -> None:
    import torch

    torch.save({"w": torch.ones(2, dtype=torch.complex64)}, path)


def _sparse_file(path: Path) -> None:
    header = safetensors(one_tensor([FAR // 4], FAR))
    path.write_bytes(header)
    os.truncate(path, len(header) + FAR)


# Images


def images() -> dict[str, bytes]:
    """Return small whole images by their ending."""
    from PIL import Image

    picture = Image.effect_noise((24, 20), 90).convert("RGB")
    made = {}
    for ending in ("png", "jpg", "webp", "bmp", "gif", "tif", "ppm"):
        buffer = io.BytesIO()
        kind = {"jpg": "jpeg", "tif": "tiff"}.get(ending, ending)
        picture.save(buffer, kind)
        made[ending] = buffer.getvalue()
    return made


def image_bombs() -> dict[str, bytes]:
    """Return files with an image's name that declare too much, start a program or are no image."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    def png(width: int, height: int, *more: bytes) -> bytes:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IEND", b"")

    text = chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(256 << 20), 9))
    return {
        "png of 10^18 pixels": png(10**9, 10**9),
        "png of a gigapixel": png(32_000, 32_000, chunk(b"IDAT", zlib.compress(bytes(1 << 20)))),
        "png with a text of 256 MB": png(8, 8, text, chunk(b"IDAT", zlib.compress(bytes(25 * 8)))),
        "png without pixels": png(0, 0),
        "gif of 4 gigapixels": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b";",
        "bmp of exapixels": b"BM"
        + bytes(12)
        + struct.pack("<IiiHHIIiiII", 40, 2**31 - 1, 2**31 - 1, 1, 24, *[0] * 6),
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(trap) (w) file\nshowpage\n",
        "a web page": b"<!doctype html><p>Not found",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "nothing": b"",
        "a pickle": pickle.dumps(Gadget(os.getcwd)),
        "an archive": b"PK\x05\x06" + bytes(18),
    }


# Text


def strange_json(content: Any, chance: random.Random) -> bytes:
    """Return a JSON document with some of its values replaced by what nobody expects, or damaged as text."""
    odd = (
        *(
            None,
            True,
            -1,
            0,
            2**63,
            10**400,
            0.5,
            1e308,
            "",
            "\x00",
            "\ud800",
            "<script>",
            "../../etc/passwd",
        ),
        *("a" * 10**5, [], {}, [[]] * 50, {"__class__": "os.system"}, float("nan"), float("inf")),
    )

    def changed(value: Any) -> Any:
        if chance.random() < 0.04:
            return chance.choice(odd)
        if isinstance(value, dict):
            return {name: changed(one) for name, one in value.items() if chance.random() > 0.01}
        return [changed(one) for one in value] if isinstance(value, list) else value

    text = json.dumps(changed(content)).encode()
    way = chance.randrange(6)
    if way == 0:
        return mutated(text, chance)[1]
    if way == 1:
        return b"[" * chance.choice((10, 10**3, 10**6)) + text
    return text
