"""Batches of augmented, prepared images: a pure function of (seed, epoch, step)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pursuhint.augment import RESIZED_CROP, augment, draws, epoch_order
from pursuhint.data import Split
from pursuhint.errors import InputError
from pursuhint.losses import Batch, TrainingImages
from pursuhint.preprocess import Preprocess
from pursuhint.training.mixing import Mixing

ON_DEVICE = 4 << 30
"""Bytes up to which the training images are kept on a GPU, where they are augmented too."""


class Batches:
    """The training images, epoch by epoch; the teacher and the student are given the same tensors.

    A batch can be cut into equal parts: `accumulate` of them one after the other, each shared out among the
    `processes`. The parts of a batch together are the whole batch, image for image.

    Args:
        split: the training part.
        preprocess: of the teacher and the student.
        augmentation: a name of `pursuhint.augment.POLICIES`.
        batch_size: images a step, of all processes; an incomplete last batch is left out of its epoch.
        seed: of order and views.
        device: where the batches are put.
        mixing: blends the images of a batch; None leaves them.
        accumulate: parts of a batch that a process works on one after the other.
        rank: this process's number among the `processes`.

    Raises:
        InputError: fewer images than a batch holds, or a batch that cannot be cut evenly.
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
        mixing: Mixing | None = None,
        accumulate: int = 1,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        check_batch_size(batch_size, len(split))
        parts = accumulate * processes
        if batch_size % parts:
            raise InputError(
                f"`batch_size` must be a multiple of {parts} ({accumulate} parts for each of {processes} "
                f"processes); found {batch_size}"
            )
        self._split, self._augmentation = split, augmentation
        self._preprocess = preprocess.filled if augmentation == RESIZED_CROP else preprocess
        self._batch_size, self._seed, self._device = batch_size, seed, device
        self._mixing, self._parts, self._size = mixing, parts, batch_size // parts
        self._own = range(rank, parts, processes)
        fits = device.type != "cpu" and split.source[:1].nbytes * len(split) <= ON_DEVICE
        self._kept = torch.as_tensor(split.images()).to(device) if fits else None
        self._labels, self._ids = (torch.as_tensor(v).to(device) for v in (split.labels, split.ids))

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return len(self._split) // self._batch_size

    @property
    def images(self) -> TrainingImages:
        """Which images an epoch shows."""
        return TrainingImages(torch.as_tensor(self._split.ids), torch.as_tensor(self._split.labels))

    def epoch(self, epoch: int, *, first: int = 0, view: int | None = None) -> Iterator[Batch]:
        """Yield this process's parts of an epoch's batches, `accumulate` a step.

        Args:
            epoch: sets the order of the images.
            first: the step to begin with.
            view: which view of every image is shown; one of the epoch's own when None.
        """
        return self._cut(epoch, range(first, self.steps), self._own, epoch if view is None else view)

    def parts(self, epoch: int, step: int) -> Iterator[Batch]:
        """Yield every part of one batch, those of the other processes too."""
        return self._cut(epoch, range(step, step + 1), range(self._parts), epoch)

    def _cut(self, epoch: int, steps: range, parts: range, view: int) -> Iterator[Batch]:
        order = torch.from_numpy(epoch_order(self._seed, epoch, len(self._split)))
        uniform = torch.from_numpy(draws(self._seed, view, self._split.ids))
        # Sent once an epoch: whatever is sent in a step makes a GPU finish the step before.
        sent = order.to(self._device)
        if self._device.type != "mps":  # which has no float64
            uniform = uniform.to(self._device)
        for step in steps:
            for part in parts:
                here, there = (self._positions(one, step, part) for one in (order, sent))
                chosen = uniform[here if uniform.device.type == "cpu" else there]
                views = augment(self._pixels(here, there), chosen, self._augmentation)
                yield self._batch(views, there, epoch, step)

    def _positions(self, order: Tensor, step: int, part: int) -> Tensor:
        whole = order[step * self._batch_size : (step + 1) * self._batch_size]
        first = part * self._size
        own = whole[first : first + self._size]
        # The image before the first is its partner; before the batch's first comes its last.
        return torch.cat([whole[first - 1 :][:1], own]) if self._mixing else own

    def _pixels(self, here: Tensor, there: Tensor) -> Tensor:
        """Return the images at these positions, which are given on the host and on the device."""
        if self._kept is not None:
            return self._kept[there]
        pixels = torch.as_tensor(self._split.images(here.numpy()))
        if self._device.type == "cuda":  # from pinned memory it travels while the GPU works
            return pixels.pin_memory().to(self._device, non_blocking=True)
        return pixels

    def _batch(self, views: Tensor, positions: Tensor, epoch: int, step: int) -> Batch:
        images = self._preprocess.apply(views, self._device).contiguous(memory_format=torch.channels_last)
        labels, ids = self._labels[positions], self._ids[positions]
        if self._mixing:
            return Batch(*self._mixing(images, labels, epoch, step), ids[1:])
        return Batch(images, labels, ids)


def check_batch_size(batch_size: int, images: int) -> None:
    """Raise InputError when there are fewer images than a batch holds."""
    if images < batch_size:
        raise InputError(
            f"`batch_size` must be at most {images}, the number of training images; found {batch_size}"
        )
