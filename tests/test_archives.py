from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pursuhint import archives
from pursuhint.archives import check_archive
from pursuhint.data import load_data
from pursuhint.errors import InputError
from pursuhint.files import read_npz


def archive(path: Path, names: list[str], how: int = zipfile.ZIP_STORED) -> zipfile.ZipFile:
    with zipfile.ZipFile(path, "w", how) as made:
        for name in names:
            made.NameToInfo.clear()  # two of a name are meant
            made.writestr(zipfile.ZipInfo(name) if how == zipfile.ZIP_STORED else name, bytes(1000))
    return zipfile.ZipFile(path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["w/../../x"], "names leave its folder; neither torch nor numpy writes that"),
        (["/x"], "names leave its folder"),
        (["x", "x"], "names stand twice"),
    ],
)
def test_odd_names_are_refused(tmp_path: Path, names: list[str], message: str):
    with pytest.raises(InputError, match=message):
        check_archive(archive(tmp_path / "w.pt", names), tmp_path / "w.pt")


def test_compressed_weights_are_refused_and_compressed_arrays_are_not(tmp_path: Path):
    made = archive(tmp_path / "w", ["a", "b"], zipfile.ZIP_DEFLATED)
    assert check_archive(made, tmp_path / "w") == {"a": 1000, "b": 1000}
    with pytest.raises(InputError, match="is a compressed archive, and torch never compresses weights"):
        check_archive(made, tmp_path / "w", compressed=False)


def test_more_entries_or_bytes_than_can_be_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = archive(tmp_path / "w", ["a", "b"])
    monkeypatch.setattr(archives, "MOST_UNPACKED", 1999)
    with pytest.raises(InputError, match="declares 2,000 bytes, and at most 1,999 are read from it"):
        check_archive(made, tmp_path / "w")
    monkeypatch.setattr(archives, "MOST_ENTRIES", 1)
    with pytest.raises(InputError, match="is an archive of 2 files; expected at most 1"):
        check_archive(made, tmp_path / "w")


def lying_npz(path: Path) -> None:
    """Write an .npz of 40 MB of zeros per kB whose array is said to have 2^40 values."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 40,)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in ("x_train", "y_train", "x_test", "y_test", "classes"):
            made.writestr(f"{name}.npy", header.getvalue() + bytes(10_000))


def test_an_array_of_terabytes_is_refused_in_words(tmp_path: Path):
    lying_npz(tmp_path / "cifar10.npz")
    with pytest.raises(InputError, match=r"must be a readable .npz without pickled objects: .*"):
        load_data(f"cifar10:{tmp_path}")
    with pytest.raises(InputError, match=r"cifar10.npz` must hold moments: .*; make it again"):
        read_npz(tmp_path / "cifar10.npz", what="moments")


def test_arrays_beyond_the_bound_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "MOST_UNPACKED", 10_000)
    np.savez_compressed(tmp_path / "cifar10.npz", x_train=np.zeros(20_000, np.uint8))
    for read in (lambda p: load_data(f"cifar10:{p}"), lambda p: read_npz(p, what="moments")):
        with pytest.raises(InputError, match=r"at most 10,000 are read from it; it is damaged or was made"):
            read(tmp_path / "cifar10.npz")
