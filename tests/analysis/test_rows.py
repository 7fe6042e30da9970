from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pursuhint.analysis.rows import RowsFile, RowsOnDisk, feature_file, map_features
from pursuhint.errors import InputError, StorageError


def test_batches_become_one_file_a_layer(tmp_path: Path):
    generator = np.random.default_rng(0)
    rows = {"a": generator.random((7, 3), np.float32), "b": generator.random((7, 5), np.float32)}
    with RowsOnDisk(tmp_path / "new", {"a": 3, "b": 5}, 7) as disk:
        for part in (slice(0, 4), slice(4, 7)):
            for layer, values in rows.items():
                disk.append(layer, values[part])
    for index, (layer, values) in enumerate(rows.items()):
        np.testing.assert_array_equal(np.load(feature_file(tmp_path / "new", index)), values)
        np.testing.assert_array_equal(disk.arrays()[layer], values)


def test_a_slice_of_a_file_is_that_of_the_array(tmp_path: Path):
    values = np.random.default_rng(0).random((10, 4), np.float32)
    np.save(tmp_path / "rows.npy", values)
    file = RowsFile(tmp_path / "rows.npy")
    assert file.shape == (10, 4) and file.dtype == np.float32 and len(file) == 10
    for rows in (slice(None), slice(3, 7), slice(8, 99), slice(None, 2), slice(20, 30), slice(1, 9, 3)):
        np.testing.assert_array_equal(file[rows], values[rows])
    first = RowsFile(tmp_path / "rows.npy", rows=6)
    np.testing.assert_array_equal(first[4:9], values[4:6])
    assert first.shape == (6, 4)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match=r"cannot write `.*000.npy`: .*; free some space"),
        RowsOnDisk(tmp_path / "file" / "below", {"a": 1}, 1),
    ):
        pass


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.ones((3, 2)), r"found float64 of shape \(3, 2\)"),
        (np.ones(3, np.float32), r"found float32 of shape \(3,\)"),
        (np.ones((2, 2), np.float32), r"found float32 of shape \(2, 2\)"),
        (np.ones((3, 0), np.float32), r"found float32 of shape \(3, 0\)"),
        (np.array([[None]], dtype=object), "Array can't be memory-mapped"),
    ],
)
def test_an_array_that_is_no_layer_s_features_is_refused(tmp_path: Path, array, found):
    np.save(tmp_path / "000.npy", array)
    with pytest.raises(InputError, match=rf"float32 of shape \(3 or more, features\): {found}"):
        map_features(tmp_path / "000.npy", rows=3)


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"\x93NUMPY\x01\x00\x08\x00{'a': 1}", b"x" * 99]
)
def test_a_file_that_is_no_array_is_refused(tmp_path: Path, content):
    (tmp_path / "000.npy").write_bytes(content)
    with pytest.raises(InputError, match="analyse the teacher again"):
        RowsFile(tmp_path / "000.npy")
