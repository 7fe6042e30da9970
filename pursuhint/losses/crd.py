"""Contrastive representation distillation: a student's image is known again among the teacher's."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from pursuhint.adapters import EMBEDDING
from pursuhint.errors import InputError
from pursuhint.losses.base import Batch, Outputs, TrainingImages, full_precision
from pursuhint.losses.hint import HintLoss
from pursuhint.losses.image_index import ImageIndex
from pursuhint.losses.rows import pooled_rows, unit
from pursuhint.pairs import Pair

TEMPERATURE = 0.07
MOMENTUM = 0.5
MOST_NEGATIVES = 16_384
GATHERED = 32
"""A bank this many times larger than the rows that are looked at is not multiplied as a whole."""


class ContrastiveDistillation(HintLoss):
    """Noise-contrastive estimation over memory banks of both networks' embeddings, per pair.

    Each layer, as the mean over its positions, is embedded in 128 numbers of length 1. A student's embedding
    is held against the remembered teacher embedding of the same image and those of k images of other classes,
    and the other way round; see `noise_contrast`. The banks hold one row for each image of the run and follow
    the embeddings with momentum 0.5: 1 kB an image and pair. Embeddings are trained with the student and
    dropped at export. The banks and constants of several processes are equal: each is told what the others
    saw.

    Args:
        pairs: hint points and guided layers; the paper has one, before the classifier.
        negatives: k; the paper's 16,384, or as many images of other classes as every image has.

    Source:
        Tian, Krishnan and Isola (2020), arXiv 1910.10699, the loss L_critic with the memory bank of their
        code, RepDistiller. Differs from it in drawing the negatives with replacement.
    """

    name = "crd"
    reduction = "mean over images, sum over 1 + k comparisons and both directions"
    needs_ids = True
    across_images = True

    def __init__(self, pairs: Sequence[Pair], *, negatives: int | None = None) -> None:
        super().__init__(pairs)
        self.negatives = negatives
        self.contrasts = nn.ModuleList()

    def prepare(self, student: Outputs, teacher: Outputs, images: TrainingImages | None = None) -> None:
        """Build embeddings and banks for the images of the run.

        Raises:
            InputError: the images are not given, or are of one class.
        """
        super().prepare(student, teacher, images)
        if images is None:
            raise InputError(
                "the hint loss `crd` needs the images' ids and labels; found none; give `prepare` the run's "
                "`TrainingImages`"
            )
        self.index = ImageIndex(images)
        self.negatives = self.negatives or min(MOST_NEGATIVES, self.index.most_others)
        for pair in self.pairs:
            self.contrasts.append(Contrast(*self.adapters[pair.name].widths, images=len(self.index)))

    def target(self, pair: Pair, hint: Tensor) -> Tensor:
        """Return the mean over positions, shape (n, channels)."""
        return pooled_rows(hint)

    def compare(self, pair: Pair, guided: Tensor, target: Tensor, batch: Batch) -> Tensor:
        """Return the contrast of a batch and remember its embeddings.

        Raises:
            InputError: the batch does not say which images it holds.
        """
        if batch is None or batch.ids is None:
            raise InputError(
                "the hint loss `crd` needs the images' ids; found a batch without any; set `Batch.ids`"
            )
        rows = self.index.rows(batch.ids)
        compared = torch.cat([rows[:, None], self.index.draw_others(rows, self.negatives)], dim=1)
        return self.contrasts[self.pairs.index(pair)](pooled_rows(guided), full_precision(target), compared)


class Contrast(nn.Module):
    """The embeddings and memory banks of one pair.

    Args:
        guided: channels of the guided layer.
        hint: channels of the hint.
        images: rows of the banks.
    """

    def __init__(self, guided: int, hint: int, *, images: int) -> None:
        super().__init__()
        self.embed_student, self.embed_teacher = nn.Linear(guided, EMBEDDING), nn.Linear(hint, EMBEDDING)
        bound = math.sqrt(3 / EMBEDDING)  # rows of length about 1
        for name in ("bank_student", "bank_teacher"):
            self.register_buffer(name, torch.empty(images, EMBEDDING).uniform_(-bound, bound))
        self.register_buffer("constants", torch.zeros(2))

    def forward(self, guided: Tensor, hint: Tensor, compared: Tensor) -> Tensor:
        """Return the loss of both directions, then move the banks.

        Args:
            guided: shape (n, channels).
            hint: the same of the teacher.
            compared: rows of the banks, shape (n, 1 + k); each image's own comes first.
        """
        student, teacher = unit(self.embed_student(guided)), unit(self.embed_teacher(hint))
        directions = ((student, self.bank_teacher), (teacher, self.bank_student))
        scores = [_scores(anchors, bank, compared) / TEMPERATURE for anchors, bank in directions]
        self._settle_constants(scores)
        total = sum(map(noise_contrast, scores, self.constants.log()))
        if self.training:
            rows = _of_all_processes(compared[:, 0])
            for bank, embedded in ((self.bank_student, student), (self.bank_teacher, teacher)):
                _follow(bank, rows, _of_all_processes(embedded.detach()))
        return total

    @torch.no_grad()
    def _settle_constants(self, scores: Sequence[Tensor]) -> None:
        """Take the means of the first batch, over all processes, for good."""
        means = _mean_of_all_processes(torch.stack([values.exp().mean() for values in scores]))
        # In every step, because a GPU would have to wait for the answer to whether it is the first one.
        self.constants.copy_(torch.where(self.constants > 0, self.constants, means))


def noise_contrast(scores: Tensor, log_constant: Tensor) -> Tensor:
    """Return -log D of a row's first score minus the sum of log(1 - D) of its k others, mean over rows.

    D = e^s / (e^s + k z) is the probability that a pair of embeddings with the score s is of one image; with
    P = e^s / (N z) and noise 1 / N it is the paper's P / (P + k / N). It is the logistic function of
    s - log z - log k, so nothing overflows.

    Args:
        scores: inner products over the temperature, shape (n, 1 + k).
        log_constant: log z, a scalar; N z is the paper's normalising constant Z for a bank of N rows.

    Example:
        >>> noise_contrast(torch.zeros(4, 2), torch.tensor(0.0)) / math.log(4)
        tensor(1.)
    """
    logits = scores - log_constant - math.log(scores.shape[1] - 1)
    return (functional.softplus(-logits[:, 0]) + functional.softplus(logits[:, 1:]).sum(dim=1)).mean()


def _scores(anchors: Tensor, bank: Tensor, compared: Tensor) -> Tensor:
    """Return the inner products of each anchor with its rows of a bank, shape (n, 1 + k)."""
    if len(bank) > GATHERED * compared.shape[1]:
        return (bank[compared] @ anchors[:, :, None]).squeeze(2)
    # One product with the whole bank instead of 1 + k copied rows an image; a copy, because the bank moves on
    # before the gradient is taken.
    return (anchors @ bank.clone().T).gather(1, compared)


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def _mean_of_all_processes(values: Tensor) -> Tensor:
    """Return the mean of each number over the processes, whose shares of a batch are equal in size."""
    if not _together():
        return values
    distributed.all_reduce(values)
    return values / distributed.get_world_size()


def _of_all_processes(values: Tensor) -> Tensor:
    """Return the rows of this process and of all others, in the same order in each of them."""
    if not _together():
        return values
    parts = [torch.empty_like(values) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, values.contiguous())
    return torch.cat(parts)


@torch.no_grad()
def _follow(bank: Tensor, rows: Tensor, embedded: Tensor) -> None:
    """Move rows of a bank half-way to the embeddings and scale them to length 1."""
    bank[rows] = unit(MOMENTUM * bank[rows] + (1 - MOMENTUM) * embedded)
