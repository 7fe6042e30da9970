"""Batches of augmented, prepared images: a pure function of (seed, epoch, step)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from pursuhint.augment import augment, draws, epoch_order
from pursuhint.data import Split
from pursuhint.errors import InputError
from pursuhint.losses import Batch, TrainingImages
from pursuhint.preprocess import Preprocess

ON_DEVICE = 4 << 30
"""Bytes up to which the training images are kept on a GPU, where they are augmented too."""


class Batches:
    """The training images, epoch by epoch; the teacher and the student are given the same tensors.

    Args:
        split: the training part.
        preprocess: of the teacher and the student.
        augmentation: a name of `pursuhint.augment.POLICIES`.
        batch_size: images a step; an incomplete last batch is left out of its epoch.
        seed: of order and views.
        device: where the batches are put.

    Raises:
        InputError: fewer images than a batch holds.
    """

    def __init__(
        self,
        split: Split,
        preprocess: Preprocess,
        *,
        augmentation: str,
        batch_size: int,
        seed: int,
        device: torch.device,
    ) -> None:
        if len(split) < batch_size:
            raise InputError(
                f"`batch_size` must be at most {len(split)}, the number of training images; found "
                f"{batch_size}"
            )
        self._split, self._preprocess, self._augmentation = split, preprocess, augmentation
        self._batch_size, self._seed, self._device = batch_size, seed, device
        fits = device.type != "cpu" and split.source[:1].nbytes * len(split) <= ON_DEVICE
        self._kept = torch.as_tensor(split.images()).to(device) if fits else None

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return len(self._split) // self._batch_size

    @property
    def images(self) -> TrainingImages:
        """Which images an epoch shows."""
        ids, labels = (torch.as_tensor(values) for values in (self._split.ids, self._split.labels))
        return TrainingImages(ids, labels)

    def epoch(self, epoch: int, *, first: int = 0, view: int | None = None) -> Iterator[Batch]:
        """Yield the batches of an epoch.

        Args:
            epoch: sets the order of the images.
            first: the step to begin with.
            view: which view of every image is shown; one of the epoch's own when None.
        """
        order = epoch_order(self._seed, epoch, len(self._split))
        uniform = draws(self._seed, epoch if view is None else view, self._split.ids)
        for step in range(first, self.steps):
            positions = order[step * self._batch_size : (step + 1) * self._batch_size]
            views = augment(self._pixels(positions), uniform[positions], self._augmentation)
            images = self._preprocess.apply(views, self._device)
            yield Batch(
                images=images.contiguous(memory_format=torch.channels_last),
                labels=torch.as_tensor(self._split.labels[positions]).to(self._device),
                ids=torch.as_tensor(self._split.ids[positions]).to(self._device),
            )

    def _pixels(self, positions: np.ndarray) -> torch.Tensor:
        if self._kept is None:
            return torch.as_tensor(self._split.images(positions))
        return self._kept[torch.as_tensor(positions).to(self._device)]
