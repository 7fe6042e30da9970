"""Image folders: one folder per class, decoded once into an array that every later epoch reads."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from pursuhint.data.decoding import decode_all, read_image
from pursuhint.data.images import VALIDATION_SHARE, ImageData, Split, content_id, hold_out
from pursuhint.errors import InputError
from pursuhint.files import read_json, write_atomic, write_json
from pursuhint.home import images_folder
from pursuhint.progress import Progress, silent

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"}
LONGEST_CLASS = 100
LARGEST_KEPT = 256
"""Larger images, and images of several sizes, are resized (shorter side) and centre-cropped to one square, of
at most this side."""


def load_folder(
    root: Path, *, spec: str | None = None, preprocess: str = "imagenet", progress: Progress = silent
) -> ImageData:
    """Load ``root/train/<class>/*`` and ``root/test/<class>/*`` (or ``val`` when there is no ``test``).

    The first call decodes every image into one uint8 file below the user's data folder; later calls map that
    file. It is decoded again when a file was added, removed or changed.

    Args:
        root: the folder.
        spec: how the data set is called; ``folder:ROOT`` when None.
        preprocess: the preprocessing for networks trained on it from scratch.
        progress: is told how many images are decoded.

    Raises:
        InputError: a folder is missing or empty, the splits' classes differ, or an image cannot be read.
    """
    root = Path(root).expanduser().resolve()
    if not root.is_dir():
        raise InputError(f"no such folder: `{root}`; expected `{root}/train/<class>/*`")
    test_name = "test" if (root / "test").is_dir() else "val"
    listing = {part: _list_part(root, part) for part in ("train", test_name)}
    classes = sorted(listing["train"])
    if sorted(listing[test_name]) != classes:
        differing = sorted(set(classes) ^ set(listing[test_name]))
        raise InputError(
            f"`{root}/train` and `{root}/{test_name}` must have the same class folders; only in one of them: "
            f"{', '.join(differing[:5])}"
        )
    if len(classes) < 2:
        raise InputError(f"`{root}/train` must hold at least 2 class folders; found {len(classes)}")
    label_of = {name: label for label, name in enumerate(classes)}
    files = [
        (path, label_of[name])
        for part in ("train", test_name)
        for name in classes
        for path in listing[part][name]
    ]
    n_train = sum(len(paths) for paths in listing["train"].values())
    images, identity = _decoded(root, [path for path, _ in files], progress)
    labels = np.array([label for _, label in files], dtype=np.int64)
    whole = Split(images, np.arange(len(files)), labels)
    training, test = whole.take(np.arange(n_train)), whole.take(np.arange(n_train, len(files)))
    train, validation = hold_out(training, max(1, round(n_train * VALIDATION_SHARE)))
    return ImageData(
        spec=spec or f"folder:{root}",
        id=hashlib.sha256(f"{identity}{content_id(labels)}".encode()).hexdigest()[:16],
        classes=tuple(classes),
        train=train,
        validation=validation,
        test=test,
        preprocess=preprocess,
        augmentation="crop-flip",
    )


def _list_part(root: Path, part: str) -> dict[str, list[Path]]:
    folder = root / part
    if not folder.is_dir():
        wanted = "train" if part == "train" else "test` or `val"
        raise InputError(f"`{root}` must hold a folder `{wanted}` with one folder per class; it is missing")
    found = {}
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.name.startswith("."):
            if not entry.name.isprintable() or len(entry.name) > LONGEST_CLASS:
                raise InputError(
                    f"a class is named by its folder, with at most {LONGEST_CLASS} characters that can be "
                    f"shown; found {ascii(entry.name[:80])} in `{folder}`: rename it"
                )
            paths = _list_images(entry)
            if not paths:
                raise InputError(
                    f"the class folder `{entry}` holds no image; expected files ending in "
                    f"{' '.join(sorted(SUFFIXES))}"
                )
            found[entry.name] = paths
    if not found:
        raise InputError(f"`{folder}` is empty; expected one folder per class with images in it")
    return found


def _list_images(folder: Path) -> list[Path]:
    """List the images of a class by name, without a Path for every comparison: there can be 10^5."""
    with os.scandir(folder) as entries:
        files = (entry.name for entry in entries if entry.is_file())
        names = sorted(name for name in files if os.path.splitext(name)[1].lower() in SUFFIXES)
    return [folder / name for name in names]


def _decoded(root: Path, paths: list[Path], progress: Progress) -> tuple[np.ndarray, str]:
    """Return the decoded images as a memory map and their content id; decode what is not kept."""
    listing = hashlib.sha256()
    for path in paths:
        status = os.stat(path)
        listing.update(os.fsencode(path) + f"\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    folder = images_folder() / f"{root.name}-{listing.hexdigest()[:16]}"
    array, card = folder / "images.npy", folder / "images.json"
    if not card.is_file():
        shape = _common_shape(paths)
        write_atomic(array, lambda file: decode_all(file, paths, shape, progress))
        images = np.load(array, mmap_mode="r")
        write_json(card, {"id": content_id(images), "source": str(root), "shape": list(images.shape)})
    with suppress(OSError):
        os.utime(card)  # when it was last used
    return np.load(array, mmap_mode="r"), read_json(card)["id"]


def _common_shape(paths: list[Path]) -> tuple[int, int]:
    """Return the height and width that all stored images get, judged by about 200 of them."""
    sizes = [read_image(path).size for path in paths[:: max(1, len(paths) // 200)]]
    if len(set(sizes)) == 1 and max(sizes[0]) <= LARGEST_KEPT:
        return sizes[0][1], sizes[0][0]
    side = min(LARGEST_KEPT, max(min(size) for size in sizes))
    return side, side
