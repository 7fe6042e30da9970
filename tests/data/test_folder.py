from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from benchmarks.torture.hostile_files import image_bombs, images, mutated
from pursuhint.data import decoding, load_data
from pursuhint.data.folder import LARGEST_KEPT
from pursuhint.errors import InputError
from pursuhint.home import images_folder


def picture(path: Path, value: int, size: tuple[int, int] = (12, 10)) -> np.ndarray:
    """Write an image of noise around a value and return its pixels."""
    pixels = np.random.default_rng(value).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two classes, 10 training and 2 test images each."""
    root = tmp_path / "flowers"
    for part, count in (("train", 10), ("test", 2)):
        for label, name in enumerate(("daisy", "rose")):
            for i in range(count):
                picture(root / part / name / f"{i}.png", 1000 * len(part) + 100 * label + i)
    return root


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The images that were decoded."""
    seen: list[Path] = []
    original = decoding.fit

    def note(path: Path, shape: tuple[int, int]) -> np.ndarray:
        seen.append(path)
        return original(path, shape)

    monkeypatch.setattr(decoding, "fit", note)
    return seen


def test_pixels_labels_and_classes_are_those_of_the_files(tree: Path):
    data = load_data(f"folder:{tree}")
    assert data.classes == ("daisy", "rose")
    assert data.image_shape == (3, 10, 12)
    assert (len(data.train), len(data.validation), len(data.test)) == (18, 2, 4)
    assert np.bincount(data.validation.labels).tolist() == [1, 1]
    assert data.test.labels.tolist() == [0, 0, 1, 1]
    for image, name, i in zip(
        data.test.images(), ["daisy", "daisy", "rose", "rose"], [0, 1, 0, 1], strict=True
    ):
        expected = np.asarray(Image.open(tree / "test" / name / f"{i}.png"))
        np.testing.assert_array_equal(image, expected)


def test_the_second_call_reads_no_image_and_maps_the_file(tree: Path, decoded: list[Path]):
    first = load_data(f"folder:{tree}")
    assert len(decoded) == 24
    second = load_data(f"folder:{tree}")
    assert len(decoded) == 24
    assert isinstance(second.train.source, np.memmap)
    assert second.id == first.id
    np.testing.assert_array_equal(second.train.images(), first.train.images())


def test_a_changed_file_is_decoded_again(tree: Path, decoded: list[Path]):
    first = load_data(f"folder:{tree}")
    path = tree / "test" / "rose" / "0.png"
    changed = picture(path, 77)
    os.utime(path, ns=(1, 1))
    second = load_data(f"folder:{tree}")
    assert len(decoded) == 48
    assert second.id != first.id
    np.testing.assert_array_equal(second.test.images(slice(2, 3))[0], changed)


def test_a_new_file_is_seen(tree: Path):
    first = load_data(f"folder:{tree}")
    picture(tree / "train" / "rose" / "new.png", 5)
    second = load_data(f"folder:{tree}")
    assert len(second.train) + len(second.validation) == 21
    assert second.id != first.id


def test_progress_counts_the_images(tree: Path):
    told: list[tuple[str, int, int]] = []
    load_data(f"folder:{tree}", progress=lambda *what: told.append(what))
    assert told == [("decoding images", 24, 24)]


def test_several_processes_decode_what_one_does(tree: Path, monkeypatch: pytest.MonkeyPatch):
    alone = load_data(f"folder:{tree}")
    shutil.rmtree(images_folder())
    monkeypatch.setattr(decoding, "FEWEST", 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    together = load_data(f"folder:{tree}")
    np.testing.assert_array_equal(together.train.source, alone.train.source)


def test_an_image_that_another_process_cannot_read_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoding, "FEWEST", 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    broken = tree / "test" / "rose" / "1.png"
    broken.write_bytes(broken.read_bytes()[:30])
    with pytest.raises(InputError, match=f"cannot read the image `{broken}`"):
        load_data(f"folder:{tree}")
    assert not list(images_folder().rglob("images.npy"))


def test_val_stands_in_for_test(tree: Path):
    (tree / "test").rename(tree / "val")
    assert len(load_data(f"folder:{tree}").test) == 4


def test_test_wins_over_val(tree: Path):
    picture(tree / "val" / "daisy" / "0.png", 1)
    assert len(load_data(f"folder:{tree}").test) == 4


def test_grey_and_transparent_images_become_rgb(tree: Path):
    Image.new("L", (12, 10), 90).save(tree / "test" / "rose" / "0.png")
    Image.new("RGBA", (12, 10), (1, 2, 3, 255)).save(tree / "test" / "rose" / "1.png")
    images = load_data(f"folder:{tree}").test.images()
    assert (images[2] == 90).all()
    assert (images[3] == [1, 2, 3]).all()


def test_images_of_different_sizes_get_one(tree: Path):
    picture(tree / "train" / "daisy" / "0.png", 4, size=(30, 20))
    data = load_data(f"folder:{tree}")
    height, width = data.image_shape[1:]
    with Image.open(tree / "test" / "rose" / "1.png") as image:
        expected = ImageOps.fit(image, (width, height), method=Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(data.test.images()[3], np.asarray(expected))


def test_large_images_are_kept_smaller(tree: Path):
    for path in tree.rglob("*.png"):
        picture(path, 1, size=(300, 280))
    assert load_data(f"folder:{tree}").image_shape == (3, LARGEST_KEPT, LARGEST_KEPT)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("train", "must hold a folder `train` with one folder per class; it is missing"),
        ("test", "must hold a folder `test` or `val` with one folder per class; it is missing"),
    ],
)
def test_a_missing_part_is_refused(tree: Path, part: str, message: str):
    (tree / part).rename(tree / "other")
    with pytest.raises(InputError, match=message):
        load_data(f"folder:{tree}")


def test_an_empty_part_is_refused(tree: Path):
    (tree / "test").rename(tree / "other")
    (tree / "test").mkdir()
    with pytest.raises(InputError, match="test` is empty; expected one folder per class with images in it"):
        load_data(f"folder:{tree}")


def test_an_empty_class_folder_is_refused(tree: Path):
    (tree / "train" / "tulip").mkdir()
    (tree / "train" / "tulip" / "readme.txt").write_text("no image")
    with pytest.raises(
        InputError, match=r"class folder `.*tulip` holds no image; expected files ending in .bmp"
    ):
        load_data(f"folder:{tree}")


def test_a_class_in_one_part_only_is_refused(tree: Path):
    picture(tree / "train" / "tulip" / "0.png", 1)
    with pytest.raises(InputError, match="must have the same class folders; only in one of them: tulip"):
        load_data(f"folder:{tree}")


def test_a_single_class_is_refused(tree: Path):
    for part in ("train", "test"):
        (tree / part / "rose").rename(tree / f"{part}-rose")
    with pytest.raises(InputError, match="must hold at least 2 class folders; found 1"):
        load_data(f"folder:{tree}")


@pytest.mark.parametrize("content", [b"", b"this is no image", b"\x89PNG\r\n\x1a\n broken"])
def test_an_unreadable_image_is_named_and_nothing_is_kept(tree: Path, pursuhint_home: Path, content: bytes):
    (tree / "train" / "rose" / "3.png").write_bytes(content)
    with pytest.raises(InputError, match=r"cannot read the image `.*rose/3.png`: .*; remove or replace it"):
        load_data(f"folder:{tree}")
    assert [path for path in pursuhint_home.rglob("*") if path.is_file()] == []


def test_a_truncated_image_is_named(tree: Path):
    path = tree / "train" / "rose" / "3.png"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"cannot read the image `.*rose/3.png`"):
        load_data(f"folder:{tree}")


def test_an_image_that_declares_too_many_pixels_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pursuhint.data.decoding.MOST_PIXELS", 100)
    with pytest.raises(InputError, match="declares more than 100 pixels; remove or shrink it"):
        load_data(f"folder:{tree}")


def test_an_image_that_pillow_refuses_for_its_size_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)  # an error above twice as many
    with pytest.raises(InputError, match=r"`.*png` declares far too many pixels; remove or shrink it"):
        load_data(f"folder:{tree}")


@pytest.mark.parametrize("ending", ["png", "tif", "ppm"])
def test_16_bit_greys_keep_their_brightness(tmp_path: Path, ending: str):
    greys = np.linspace(0, 65_535, 120).astype(np.uint16).reshape(10, 12)
    Image.fromarray(greys).save(tmp_path / f"a.{ending}")
    expected = np.repeat((greys // 257)[..., None], 3, axis=2)
    np.testing.assert_array_equal(decoding.fit(tmp_path / f"a.{ending}", (10, 12)), expected)


def test_cmyk_becomes_rgb_and_of_an_animation_the_first_frame_counts(tmp_path: Path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "red.jpg")
    assert decoding.fit(tmp_path / "red.jpg", (8, 8))[0, 0] == pytest.approx([255, 0, 0], abs=3)
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    for ending in ("gif", "png", "webp"):
        lossless = {"lossless": True} if ending == "webp" else {}
        path = tmp_path / f"frames.{ending}"
        frames[0].save(path, save_all=True, append_images=frames[1:], **lossless)
        with Image.open(path) as image:
            assert image.n_frames == 3
        assert decoding.fit(path, (8, 8))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("mode", "value", "message"),
    [
        ("F", 0.5, "has floating-point values, whose white is unknown; save it with 8 bits"),
        ("I", 70_000, "has values outside of 16 bits; save it with 8 bits a channel"),
        ("I", -1, "has values outside of 16 bits"),
    ],
)
def test_brightness_that_cannot_be_told_is_refused(tmp_path: Path, mode: str, value: float, message: str):
    Image.new(mode, (8, 8), value).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=message):
        decoding.fit(tmp_path / "a.tif", (8, 8))


@pytest.mark.parametrize("name", image_bombs())
def test_bombs_programs_and_what_is_no_image_are_named(tmp_path: Path, name: str):
    path = tmp_path / "a.png"
    path.write_bytes(image_bombs()[name])
    with pytest.raises(InputError, match=r"`.*a.png`?.*; (remove|shrink)") as refused:
        decoding.fit(path, (8, 8))
    assert str(refused.value).isprintable() and len(str(refused.value)) < 1000


def test_postscript_is_not_given_to_ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from PIL import EpsImagePlugin

    started = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *given: started.append(given))
    (tmp_path / "a.png").write_bytes(image_bombs()["postscript"])
    with Image.open(tmp_path / "a.png") as image:  # Pillow alone would take it, whatever its name
        assert image.format == "EPS"
    with pytest.raises(InputError, match="cannot identify image file"):
        decoding.fit(tmp_path / "a.png", (8, 8))
    assert started == []


@pytest.mark.parametrize("ending", images())
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about the damage
def test_images_damaged_at_random_are_read_or_named(tmp_path: Path, ending: str):
    whole, chance, path, read = images()[ending], random.Random(2), tmp_path / "given", 0
    for _ in range(25):
        path.write_bytes(mutated(whole, chance)[1])
        try:
            read += decoding.fit(path, (20, 24)).shape == (20, 24, 3)
        except InputError:
            read += 0
    assert read < 25


def test_names_that_are_no_text_are_read_as_files_and_refused_as_classes(tmp_path: Path, tree: Path):
    odd = os.fsdecode(b"\xff\xfe.png")
    picture(tree / "train" / "rose" / odd, 5)
    assert len(load_data(f"folder:{tree}").train) == 19
    os.rename(tree / "train" / "rose", tree / "train" / os.fsdecode(b"ro\xff"))
    with pytest.raises(InputError, match=r"at most 100 characters that can be shown; found 'ro.udcff' in"):
        load_data(f"folder:{tree}")
