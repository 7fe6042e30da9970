"""Weight files made to harm: none runs code, costs more than its size allows, or ends in anything but a line.

The series of hundreds is `make torture`; here a few of each kind.
"""

from __future__ import annotations

import os
import pickle
import random
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import save_file

from benchmarks.torture.hostile_files import (
    bombs,
    declared,
    mutated,
    safetensors,
    whole_checkpoints,
    with_code,
    zipped,
)
from pursuhint.checkpoints import infer_classes, read_weights, reading
from pursuhint.errors import InputError

CODE = "holds more than plain weights: it asks for "
REFUSALS = {
    "a compressed storage": "is a compressed archive, and torch never compresses weights; unpack it",
    "entries that overlap": "and at most .* are read from it; it is damaged or was made to fill the memory",
    "an entry of terabytes": "declares 4,294,9.* bytes, and at most",
    "names that leave the archive": "names leave its folder",
    "a name twice": "names stand twice",
    "more values than are there": "is cut short or damaged",
    "one value a million times": "but not of plain weights",
    "a tensor outside of its storage": "but not of plain weights",
    "a stream of terabytes": "is cut short or damaged",
    "a key that takes ages": "takes more than 4 s or 1 GB to list what is in it, as no plain weights do",
    "a dict in itself": "must hold names and tensors, found `state_dict`",
    "a memo of billions": "takes more than 4 s or 1 GB to list|but not of plain weights",
    "a sparse tensor": f"{CODE}`torch._utils._rebuild_sparse_tensor`",
    "a complex tensor": f"{CODE}`torch.ComplexFloatStorage`",
    "a name over two lines": r"holds a tensor under a name that is none \(3 characters, starting 'a\\nb'\)",
    "a name of a megabyte": r"under a name that is none \(1,000,000 characters, starting 'nnn",
    "a header of exabytes": "must be a safetensors or torch weight file",
    "a header that is longer than the file": "is cut short or damaged",
    "a shape of terabytes": "is cut short or damaged",
    "a shape that overflows": "is cut short or damaged",
    "a terabyte of zeros, all sparse": "has 1100 GB, and .* of memory are free; take a smaller checkpoint",
    "a link to itself": "cannot read",
    "a link to nothing": "no such weight file",
    "a link to a device": "found a device or pipe",
    "a link to a system file": "must be a safetensors or torch weight file",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_made_to_harm_is_refused_in_one_line(tmp_path: Path, name: str):
    path, before = tmp_path / "given", psutil.Process().memory_info().rss
    bombs()[name](path)
    with pytest.raises(InputError, match=REFUSALS[name]) as refused:
        read_weights(path)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 1000
    assert psutil.Process().memory_info().rss - before < 300_000_000


def test_no_way_of_running_code_is_taken(tmp_path: Path):
    trap, path = tmp_path / "trap", tmp_path / "given"
    for name, write in random.Random(0).sample(list(with_code(trap)), 12):
        write(path)
        with pytest.raises(InputError, match=f"{CODE}|is a pickle or archive, but not of plain weights"):
            read_weights(path)
        assert not trap.exists(), name
    zipped(path, pickle.dumps(os.getcwd, protocol=2))
    with pytest.raises(InputError, match=f"{CODE}`posix.getcwd`, and no code from a file is run"):
        read_weights(path)


@pytest.mark.parametrize("kind", ["safetensors", "zip", "stream"])
def test_files_damaged_at_random_are_read_or_refused_in_one_line(tmp_path: Path, kind: str):
    whole, chance, path, refused = whole_checkpoints()[kind], random.Random(1), tmp_path / "given", 0
    for _ in range(10):
        path.write_bytes(mutated(whole, chance)[1])
        message = ""
        try:
            read_weights(path)
        except InputError as error:
            message = str(error)
        assert "\n" not in message and len(message) < 1000
        refused += bool(message)
    assert refused


def test_a_changed_value_in_a_zip_is_noticed(tmp_path: Path):
    torch.save({"w": torch.arange(1000.0)}, tmp_path / "w.pt")
    content = bytearray((tmp_path / "w.pt").read_bytes())
    content[content.index(torch.arange(1000.0).numpy().tobytes()) + 2000] ^= 1
    (tmp_path / "w.pt").write_bytes(content)
    assert torch.load(tmp_path / "w.pt", weights_only=True)["w"].shape == (1000,)  # torch does not notice
    with pytest.raises(InputError, match="is cut short or damaged"):
        read_weights(tmp_path / "w.pt")


def test_tensors_may_share_values_but_not_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shared = torch.ones(1000)
    torch.save({f"{number}": shared for number in range(20)}, tmp_path / "w.pt")
    assert len(read_weights(tmp_path / "w.pt")) == 20
    monkeypatch.setattr(reading, "MOST_SHARED", 5)
    with pytest.raises(InputError, match="gives the same values to more than 5 tensors each"):
        read_weights(tmp_path / "w.pt")


def test_parts_of_one_storage_and_every_plain_format_are_read(tmp_path: Path):
    whole = torch.arange(12.0)
    tensors = {"part": whole[3:], "turned": whole.reshape(3, 4).t(), "empty": torch.empty(0, 3)}
    tensors |= {str(kind): torch.ones(2).to(kind) for kind in reading.PLAIN}
    torch.save(tensors, tmp_path / "w.pt")
    found = read_weights(tmp_path / "w.pt")
    assert all(torch.equal(found[name].double(), tensor.double()) for name, tensor in tensors.items())


def test_parameters_as_torch_wrote_them_before_version_0_4_are_read(tmp_path: Path):
    head, function, tensor = declared((1,), (1,), 1).partition(b"ctorch._utils")
    listed = head + b"ctorch.nn.parameter\nParameter\n(" + function + tensor[:-2] + b"\x88tRs."
    zipped(tmp_path / "w.pt", listed, {"w/data/0": torch.tensor([2.5]).numpy().tobytes()})
    assert read_weights(tmp_path / "w.pt")["w"].item() == 2.5


def test_a_head_without_values_tells_no_number_of_classes(tmp_path: Path):
    save_file({"fc.weight": torch.empty(10**9, 0)}, tmp_path / "w.safetensors")
    assert infer_classes(read_weights(tmp_path / "w.safetensors")) is None


def test_a_format_that_no_layer_has_is_refused(tmp_path: Path):
    header = {"w": {"dtype": "U64", "shape": [1], "data_offsets": [0, 8]}}
    (tmp_path / "w").write_bytes(safetensors(header, bytes(8)))
    with pytest.raises(
        InputError, match=r"`w` is no plain tensor of numbers \(torch.uint64, torch.strided\)"
    ):
        read_weights(tmp_path / "w")
