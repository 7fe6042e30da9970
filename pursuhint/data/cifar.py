"""CIFAR-10 and CIFAR-100 from whatever form is at hand: torchvision's files, an image folder or an .npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pursuhint.archives import check_archive
from pursuhint.data.folder import load_folder
from pursuhint.data.images import VALIDATION_SHARE, ImageData, Split, content_id, hold_out
from pursuhint.errors import InputError, one_line

ARCHIVE_FOLDER = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}
ARRAYS = ("x_train", "y_train", "x_test", "y_test", "classes")


def load_cifar(name: str, root: Path) -> ImageData:
    """Load CIFAR-10 or CIFAR-100.

    Args:
        name: ``cifar10`` or ``cifar100``.
        root: an .npz file with the arrays x_train, y_train, x_test, y_test and classes; or a folder that
            holds such a file (``cifar10.npz``), torchvision's unpacked archive, or ``train/`` and ``test/``
            with a folder per class (itself or in a subfolder called like the data set).

    Raises:
        InputError: none of these is there; nothing is ever downloaded.
    """
    root = Path(root).expanduser()
    if root.suffix == ".npz" or (root / f"{name}.npz").is_file():
        arrays = _from_npz(root if root.suffix == ".npz" else root / f"{name}.npz")
    elif (root / ARCHIVE_FOLDER[name]).is_dir():
        arrays = _from_archive(name, root)
    else:
        for folder in (root, root / name):
            if (folder / "train").is_dir():
                return load_folder(folder, spec=f"{name}:{root}", preprocess=name)
        raise InputError(
            f"no {name} in `{root}`: expected `{name}.npz`, `{ARCHIVE_FOLDER[name]}/` or "
            "`train/<class>/*` there; "
            f"download it yourself and name its folder, as in `{name}:/path/to/data`"
        )
    images_train, labels_train, images_test, labels_test, classes = arrays
    images = np.concatenate([images_train, images_test])
    labels = np.concatenate([labels_train, labels_test]).astype(np.int64)
    n_train = len(labels_train)
    whole = Split(images, np.arange(len(labels)), labels)
    training, test = whole.take(np.arange(n_train)), whole.take(np.arange(n_train, len(labels)))
    train, validation = hold_out(training, round(n_train * VALIDATION_SHARE))
    return ImageData(
        spec=f"{name}:{root}",
        id=content_id(images, labels),
        classes=tuple(str(c) for c in classes),
        train=train,
        validation=validation,
        test=test,
        preprocess=name,
        augmentation="crop-flip",
    )


def _from_npz(path: Path) -> tuple[np.ndarray, ...]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            check_archive(archive.zip, path)
            missing = [key for key in ARRAYS if key not in archive]
            if missing:
                raise InputError(
                    f"`{path}` must hold the arrays {', '.join(ARRAYS)}; missing: {', '.join(missing)}"
                )
            arrays = tuple(archive[key] for key in ARRAYS)
    except FileNotFoundError:
        raise InputError(f"no such file: `{path}`; check the path") from None
    except InputError:
        raise
    except Exception as error:  # damaged bytes end in a dozen kinds of error, from zipfile to tokenize
        reason = one_line(error)
        raise InputError(f"`{path}` must be a readable .npz without pickled objects: {reason}") from None
    n_classes = len(arrays[4])
    for images, labels in (arrays[:2], arrays[2:4]):
        integers = labels.ndim == 1 and labels.dtype.kind in "iu" and len(labels) > 0
        if not integers or labels.min() < 0 or labels.max() >= n_classes:
            raise InputError(
                f"labels in `{path}` must be integers from 0 to {n_classes - 1}, one per image; found "
                f"{labels.dtype} {labels.shape}"
            )
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or len(images) != len(labels):
            raise InputError(
                f"images in `{path}` must be uint8 of shape (n, height, width, 3) with n labels; "
                f"found {images.dtype} {images.shape} with {len(labels)} labels"
            )
    return arrays


def _from_archive(name: str, root: Path) -> tuple[np.ndarray, ...]:
    """Read torchvision's files; it checks their published MD5 sums before it unpickles them."""
    from torchvision.datasets import CIFAR10, CIFAR100

    kind = {"cifar10": CIFAR10, "cifar100": CIFAR100}[name]
    try:
        train, test = (kind(str(root), train=part, download=False) for part in (True, False))
    except RuntimeError:
        raise InputError(
            f"the files in `{root / ARCHIVE_FOLDER[name]}` are not the published {name} (a checksum "
            "differs); "
            f"unpack the archive again"
        ) from None
    return train.data, np.array(train.targets), test.data, np.array(test.targets), np.array(train.classes)
