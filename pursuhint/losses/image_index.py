"""The run's images as rows of a memory bank: where each one is, and others to hold against it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pursuhint.errors import InputError
from pursuhint.losses.base import TrainingImages


class ImageIndex(nn.Module):
    """Rows 0 to n - 1 for the images of a run, those of one class next to each other.

    Its buffers follow from the run's settings and are not kept in checkpoints.

    Args:
        images: of the run.

    Raises:
        InputError: all images are of one class, so none has others to be told from.

    Example:
        >>> index = ImageIndex(TrainingImages(torch.tensor([7, 3, 5]), torch.tensor([1, 0, 1])))
        >>> index.rows(torch.tensor([3, 7])), len(index), index.most_others
        (tensor([0, 1]), 3, 1)
    """

    def __init__(self, images: TrainingImages) -> None:
        super().__init__()
        order = torch.argsort(images.labels, stable=True)
        found, classes, counts = torch.unique(images.labels, return_inverse=True, return_counts=True)
        if len(found) < 2:
            raise InputError(
                f"the hint loss `crd` tells images of different classes apart; found {len(found)} class in "
                f"the {len(images.labels)} images of the run; choose another hint loss"
            )
        ids, place = images.ids[order].sort()
        self.most_others = len(order) - int(counts.max())
        for name, values in {
            "ids": ids,
            "row": place,
            "classes": classes[order],
            "first": counts.cumsum(0) - counts,
            "counts": counts,
        }.items():
            self.register_buffer(name, values, persistent=False)

    def __len__(self) -> int:
        return len(self.row)

    def rows(self, ids: Tensor) -> Tensor:
        """Return the images' rows.

        Args:
            ids: int64, shape (n,).

        Raises:
            InputError: an id is not one of the run's.
        """
        place = torch.searchsorted(self.ids, ids).clamp(max=len(self) - 1)
        # On a GPU the question would make every step wait, and there the ids come from the same loader.
        if ids.device.type == "cpu" and not torch.equal(self.ids[place], ids):
            strange = int(ids[self.ids[place] != ids][0])
            raise InputError(
                f"the hint loss `crd` remembers the {len(self)} images that `prepare` was given; found the "
                f"id {strange}, which is none of them; give `prepare` all images of the run"
            )
        return self.row[place]

    def draw_others(self, rows: Tensor, count: int) -> Tensor:
        """Draw rows of images of other classes, uniformly and with replacement.

        Args:
            rows: of the images they are held against, shape (n,).
            count: how many for each.

        Returns:
            int64, shape (n, count).
        """
        classes = self.classes[rows]
        first, own = self.first[classes][:, None], self.counts[classes][:, None]
        drawn = torch.randint(2**62, (len(rows), count), device=rows.device) % (len(self) - own)
        return torch.where(drawn < first, drawn, drawn + own)
