"""What a data set is to the rest of the project: three splits of 8-bit images held as arrays."""

from __future__ import annotations

import hashlib
import mmap
from dataclasses import dataclass

import numpy as np

from pursuhint.errors import InputError, find_named

SPLIT_SEED = 2103
VALIDATION_SHARE = 0.1


@dataclass(frozen=True)
class Split:
    """Images that are used together: a selection of the rows of one source array.

    Attributes:
        source: uint8, shape (n_source, height, width, 3): every image of the data set; may be a memory map.
        ids: int64, shape (n,): each image's row in the source, the same on every machine.
        labels: int64, shape (n,).
    """

    source: np.ndarray
    ids: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def images(self, positions: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the images at these positions of the split, uint8, shape (n, height, width, 3)."""
        return self.source[self.ids[positions]]

    def release(self) -> None:
        """Give back the memory of what was read from a source that is a memory map; it is read again."""
        if isinstance(self.source.base, mmap.mmap):
            self.source.base.madvise(mmap.MADV_DONTNEED)

    def take(self, positions: np.ndarray) -> Split:
        """Return the part of the split at these positions, in this order."""
        return Split(self.source, self.ids[positions], self.labels[positions])


@dataclass(frozen=True)
class ImageData:
    """A data set: training, validation (the selection split) and test part.

    Attributes:
        spec: what was asked for, such as ``digits`` or ``folder:PATH``.
        id: 16 hexadecimal digits of a hash over every image and label.
        classes: class names in label order.
        preprocess: the preprocessing that suits a network trained on this data from scratch.
        augmentation: the augmentation that suits it, a name from `pursuhint.augment`.
    """

    spec: str
    id: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    preprocess: str
    augmentation: str

    def split(self, name: str) -> Split:
        """Return the split of that name: ``train``, ``validation`` or ``test``."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return find_named("split", name, splits)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        height, width, channels = self.train.source.shape[1:]
        return channels, height, width


def content_id(*arrays: np.ndarray) -> str:
    """Hash arrays (shape, type and bytes) to 16 hexadecimal digits, without copying a memory map whole.

    Example:
        >>> content_id(np.zeros(2)) == content_id(np.zeros(3))
        False
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode())
        rows = max(1, (64 << 20) // max(1, array[:1].nbytes))
        for start in range(0, len(array), rows):
            digest.update(np.ascontiguousarray(array[start : start + rows]).data)
    return digest.hexdigest()[:16]


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Order positions so that every prefix holds each class in proportion.

    Args:
        labels: int, shape (n,).
        seed: of the order inside a class.

    Returns:
        int64, shape (n,): a permutation of 0..n-1.

    Example:
        >>> labels = np.array([0, 0, 0, 0, 1, 1])
        >>> np.bincount(labels[stratified_order(labels, seed=0)[:3]])
        array([2, 1])
    """
    generator = np.random.default_rng(seed)
    quantile = np.empty(len(labels))
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        quantile[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.argsort(quantile, kind="stable")


def hold_out(split: Split, n_held: int, *, seed: int = SPLIT_SEED) -> tuple[Split, Split]:
    """Split off a stratified part.

    Args:
        split: what is divided.
        n_held: images of the second part.
        seed: of the division.

    Returns:
        What stays and what was held out, both in the order of their ids.
    """
    order = stratified_order(split.labels, seed)
    held, kept = np.sort(order[:n_held]), np.sort(order[n_held:])
    return split.take(kept), split.take(held)


def choose_images(split: Split, n: int, *, option: str = "samples") -> Split:
    """Choose images, each class in proportion; the same ones in the same order every time.

    Not in the order of the ids: every beginning holds each class in proportion too, because measures
    and maps that cannot use all images take the first ones.

    Args:
        split: what is chosen from.
        n: how many.
        option: how the number is called where it was given.

    Raises:
        InputError: more images are asked for than there are.
    """
    if n > len(split):
        raise InputError(f"`{option}` must be at most {len(split)}, the training images there are; found {n}")
    return split.take(stratified_order(split.labels, SPLIT_SEED)[:n])
