from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pursuhint.data import load_data
from pursuhint.errors import InputError


def arrays(**changes) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    made = {
        "x_train": generator.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8),
        "y_train": np.arange(40) % 4,
        "x_test": generator.integers(0, 256, (8, 32, 32, 3), dtype=np.uint8),
        "y_test": np.arange(8) % 4,
        "classes": np.array(["cat", "dog", "frog", "ship"]),
    }
    return {key: value for key, value in (made | changes).items() if value is not None}


@pytest.mark.parametrize("place", ["{tmp}", "{tmp}/cifar10.npz"])
def test_an_npz_is_read_from_its_folder_or_by_its_name(tmp_path: Path, place: str):
    given = arrays()
    np.savez(tmp_path / "cifar10.npz", **given)
    data = load_data(f"cifar10:{place.format(tmp=tmp_path)}")
    assert data.classes == ("cat", "dog", "frog", "ship")
    assert (len(data.train), len(data.validation), len(data.test)) == (36, 4, 8)
    assert sorted(np.bincount(data.validation.labels)) == [1, 1, 1, 1]
    np.testing.assert_array_equal(data.test.images(), given["x_test"])
    np.testing.assert_array_equal(data.train.images(), given["x_train"][data.train.ids])
    np.testing.assert_array_equal(data.train.labels, given["y_train"][data.train.ids])
    assert (data.preprocess, data.augmentation) == ("cifar10", "crop-flip")


def test_the_data_folder_is_the_default_place(pursuhint_home: Path):
    (pursuhint_home / "data").mkdir()
    np.savez(pursuhint_home / "data" / "cifar100.npz", **arrays())
    assert len(load_data("cifar100").test) == 8


@pytest.mark.parametrize("below", ["", "cifar10"])
def test_an_unpacked_folder_is_read(tmp_path: Path, below: str):
    given = arrays()
    for part in ("train", "test"):
        for i, (image, label) in enumerate(zip(given[f"x_{part}"], given[f"y_{part}"], strict=True)):
            path = tmp_path / below / part / str(given["classes"][label]) / f"{i:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    data = load_data(f"cifar10:{tmp_path}")
    assert data.spec == f"cifar10:{tmp_path}"
    assert data.preprocess == "cifar10"
    assert (len(data.train) + len(data.validation), len(data.test)) == (40, 8)
    first_dog = given["x_test"][given["y_test"] == 1][0]
    np.testing.assert_array_equal(data.test.images()[data.test.labels == 1][0], first_dog)


def test_nothing_there_is_said(tmp_path: Path):
    message = (
        r"no cifar10 in `.*`: expected `cifar10.npz`, `cifar-10-batches-py/` or `train/<class>/\*` there"
    )
    with pytest.raises(InputError, match=message):
        load_data(f"cifar10:{tmp_path}")


def test_a_missing_npz_is_said(tmp_path: Path):
    with pytest.raises(InputError, match="no such file: `.*none.npz`; check the path"):
        load_data(f"cifar10:{tmp_path}/none.npz")


def test_an_archive_that_is_not_the_published_one_is_not_unpickled(tmp_path: Path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    trap = tmp_path / "trap"
    pickle = b"cposix\nsystem\n(S'touch " + str(trap).encode() + b"'\ntR."
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch", "batches.meta"]:
        (folder / name).write_bytes(pickle)
    with pytest.raises(InputError, match=r"are not the published cifar10 \(a checksum differs\); unpack the"):
        load_data(f"cifar10:{tmp_path}")
    assert not trap.exists()


def test_missing_arrays_are_named(tmp_path: Path):
    np.savez(tmp_path / "cifar10.npz", **arrays(y_test=None, classes=None))
    with pytest.raises(InputError, match="must hold the arrays x_train, .*; missing: y_test, classes"):
        load_data(f"cifar10:{tmp_path}")


@pytest.mark.parametrize(
    "changes",
    [
        {"x_train": np.zeros((40, 32, 32, 3), dtype=np.float32)},
        {"x_train": np.zeros((40, 3, 32, 32), dtype=np.uint8)},
        {"x_test": np.zeros((7, 32, 32, 3), dtype=np.uint8)},
    ],
)
def test_images_of_another_form_are_refused(tmp_path: Path, changes: dict):
    np.savez(tmp_path / "cifar10.npz", **arrays(**changes))
    with pytest.raises(
        InputError, match=r"must be uint8 of shape \(n, height, width, 3\) with n labels; found"
    ):
        load_data(f"cifar10:{tmp_path}")


@pytest.mark.parametrize(
    "labels", [np.full(40, 4), np.full(40, -1), np.zeros((40, 1), dtype=int), np.zeros(40), np.zeros(0, int)]
)
def test_labels_of_another_form_are_refused(tmp_path: Path, labels: np.ndarray):
    np.savez(tmp_path / "cifar10.npz", **arrays(y_train=labels))
    with pytest.raises(InputError, match="labels in `.*` must be integers from 0 to 3, one per image; found"):
        load_data(f"cifar10:{tmp_path}")


def test_pickled_objects_are_not_loaded(tmp_path: Path):
    np.savez(tmp_path / "cifar10.npz", **arrays(classes=np.array([{"a": 1}], dtype=object)))
    with pytest.raises(InputError, match=r"must be a readable .npz without pickled objects"):
        load_data(f"cifar10:{tmp_path}")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_a_damaged_npz_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "cifar10.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"must be a readable .npz without pickled objects"):
        load_data(f"cifar10:{tmp_path}")


def test_a_single_array_is_no_npz(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.npy").rename(tmp_path / "cifar10.npz")
    with pytest.raises(InputError, match=r"must be a readable .npz without pickled objects"):
        load_data(f"cifar10:{tmp_path}")
