"""The distiller: the student together with its losses, one module for the optimiser and for Fabric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from pursuhint.logits import require_logits
from pursuhint.losses import Batch, Loss, Outputs, TrainingImages
from pursuhint.pairs import Pair
from pursuhint.recorder import ActivationRecorder, require_called
from pursuhint.training.lone_values import explain_lone_values


class Distiller(nn.Module):
    """Run the student and return the named, unweighted losses of a batch.

    Args:
        student: the network to train.
        losses: from `pursuhint.losses.build_losses`; their regressors are trained with the student.
        pairs: hint points and guided layers whose outputs the losses see.
        resting: modules of the student that stay in eval mode, because they are not trained.

    Attributes:
        compiled: is entered around every run of the student.
    """

    def __init__(
        self,
        student: nn.Module,
        losses: Sequence[Loss],
        pairs: Sequence[Pair] = (),
        *,
        resting: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        self.student = student
        self.losses = nn.ModuleList(losses)
        self.guided = tuple(dict.fromkeys(pair.guided for pair in pairs))
        self.compiled: AbstractContextManager = nullcontext()
        self.resting = tuple(resting)

    def train(self, mode: bool = True) -> Distiller:
        """Switch to train mode, all but what rests."""
        super().train(mode)
        for module in self.resting:
            module.training = False  # its own only: a head below it learns
        return self

    def forward(self, batch: Batch, teacher: Outputs | None) -> dict[str, Tensor]:
        """Return ``{name: scalar}``; the part of a name before ``/`` is its term.

        Raises:
            InputError: batch norm has a single value of a channel, or the student puts out no logits.
        """
        named: dict[str, Tensor] = {}
        with explain_lone_values(len(batch.images)):
            with self.compiled:
                student = run_network(self.student, batch.images, self.guided)
            with torch.autocast(batch.images.device.type, enabled=False):
                for loss in self.losses:
                    named |= loss(student, teacher, batch)
        return named

    def prepare(self, batch: Batch, teacher: Outputs | None, images: TrainingImages | None = None) -> None:
        """Let the losses build what depends on shapes and images; the student's state stays as it was."""
        was_training = self.student.training
        self.student.eval()
        with torch.no_grad():
            student = run_network(self.student, batch.images, self.guided)
            for loss in self.losses:
                if loss.needs_teacher:
                    loss.prepare(student, teacher, images)
        self.student.train(was_training)


@contextmanager
def state_kept(module: nn.Module) -> Iterator[None]:
    """Put parameters and buffers back as they were, whatever is done to them inside."""
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    try:
        yield
    finally:
        module.load_state_dict(kept)


def freeze_unreached(distiller: Distiller, batch: Batch, teacher: Outputs | None) -> list[str]:
    """Switch off the gradients of parameters that no loss reaches, and return their names.

    Nothing is lost: their gradient does not exist. But processes that train together wait for a gradient from
    every parameter that asks for one.

    Args:
        distiller: prepared; its state is left as it was.
        batch: any batch.
        teacher: its outputs for the batch.
    """
    asking = {name: value for name, value in distiller.named_parameters() if value.requires_grad}
    with state_kept(distiller):
        total = sum(distiller(batch, teacher).values())
        gradients = torch.autograd.grad(total, list(asking.values()), allow_unused=True)
    unreached = [name for name, gradient in zip(asking, gradients, strict=True) if gradient is None]
    for name in unreached:
        asking[name].requires_grad_(False)
    return unreached


def run_network(model: nn.Module, images: Tensor, layers: Sequence[str]) -> Outputs:
    """Run a network and record these layers.

    Raises:
        InputError: a layer does not exist or is never called, or the network puts out no logits.
    """
    with ActivationRecorder(model, layers) as recorder:
        logits = require_logits(model(images), len(images))
        require_called(recorder)
        return Outputs(logits, dict(recorder.outputs))
