"""A short distillation, whole or in parts; ``torchrun together.py SETTINGS FOLDER`` in several processes."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import nn

STEPS = 10


def forget_the_batch(model: nn.Module) -> None:
    """Replace batch norm, in place, by a norm of each image alone: parts of a batch then add up to it."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.GroupNorm(1, child.num_features))


def trained(settings: Any, folder: Path) -> dict[str, Any]:
    """Train for `STEPS` steps and return the first gradients, the weights, the events and the images seen."""
    from pursuhint.training.loop import Stopped, Trainer
    from pursuhint.training.prepare import load_parts

    events: list[dict[str, Any]] = []
    gradients: dict[str, torch.Tensor] = {}
    parts = load_parts(settings)
    forget_the_batch(parts.student.model)
    asked = iter(range(10**6))

    def should_stop() -> bool:
        before = next(asked)
        if before == 1:
            gradients.update({n: p.grad.clone() for n, p in parts.student.model.named_parameters()})
        # Only the last process is asked to stop; all must.
        return before == STEPS and os.environ.get("RANK", "0") == str(trainer.processes.count - 1)

    trainer = Trainer(
        settings,
        parts,
        folder=folder,
        record=lambda kind, **fields: events.append({"kind": kind, **fields}),
        should_stop=should_stop,
    )
    trainer._heed = lambda *_: None  # what is counted is steps
    trainer.start()
    try:
        trainer.run()
    except Stopped as stop:
        events.append({"kind": "stopped", "text": str(stop)})
    weights = {name: value.clone() for name, value in parts.student.model.state_dict().items()}
    return {"gradients": gradients, "weights": weights, "events": json.dumps(events)}


def stopped_and_resumed(settings: Any, folder: Path, stops: list[int]) -> dict[str, Any]:
    """Train to the end, stopped after so many steps at a time; return what was recorded and is left."""
    from pursuhint.training.loop import Stopped, Trainer
    from pursuhint.training.prepare import load_parts

    events: list[dict[str, Any]] = []
    for stop in [*stops, None]:
        asked = iter(range(10**6))
        trainer = Trainer(
            settings,
            load_parts(settings),
            folder=folder,
            record=lambda kind, **fields: events.append({"kind": kind, **fields}),
            should_stop=lambda stop=stop, asked=asked: next(asked) == stop,
        )
        trainer._heed = lambda *_: None  # what is counted is steps
        trainer.start()
        with suppress(Stopped):
            trainer.run()
    clock = ("seconds", "images_per_second")
    told = [
        {name: value for name, value in event.items() if name not in clock}
        for event in events
        if event["kind"] in ("step", "epoch", "final")
    ]
    weights = {name: value.clone() for name, value in trainer.distiller.state_dict().items()}
    return {"weights": weights, "events": json.dumps(told)}


def own_statistics(settings: Any) -> dict[str, torch.Tensor]:
    """Show a batch norm two batches of this process's own; return its mean before and after."""
    from pursuhint.training.precision import build_fabric
    from pursuhint.training.processes import Processes

    processes = Processes(build_fabric(settings))
    norm = nn.BatchNorm1d(4)
    norm.running_mean.fill_(processes.rank)
    module, _ = processes.fabric.setup(norm, torch.optim.SGD(norm.parameters()))
    before = norm.running_mean.clone()
    for batch in own_batches(processes.rank):
        module(batch)
    return {"before": before, "after": norm.running_mean.clone()}


def own_batches(rank: int) -> torch.Tensor:
    """Return two batches of a process: 8 rows of 4 numbers each."""
    return torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(1 + rank))


def contrasted(rank: int) -> dict[str, torch.Tensor]:
    """Take a first step of contrastive distillation on images of this process's own; return the memory."""
    from pursuhint.losses.crd import Contrast

    contrast = new_contrast(Contrast)
    contrast(*own_images(rank))
    return {name: value.clone() for name, value in contrast.named_buffers()}


def new_contrast(contrast: type[nn.Module]) -> nn.Module:
    """Build the same embeddings and banks of six images everywhere."""
    torch.manual_seed(0)
    return contrast(4, 5, images=6)


def own_images(rank: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return what both networks say of a process's three images, and the rows that are compared."""
    drawn = torch.Generator().manual_seed(1 + rank)
    guided, hint = (torch.randn(3, width, generator=drawn) for width in (4, 5))
    rows = torch.arange(3)[:, None] + 3 * rank
    return guided, hint, torch.cat([rows, (rows + torch.arange(1, 4)) % 6], dim=1)


def break_the_last(folder: Path) -> int:
    """Work on a run whose second step goes wrong in the last process, and keep what is said in each."""
    from pursuhint.errors import PursuhintError
    from pursuhint.losses.cross_entropy import CrossEntropy
    from pursuhint.ranks import process_count, process_rank
    from pursuhint.runs import RunFolder
    from pursuhint.runs.worker import work

    # What starts the processes ends the others when one has failed; here they are to say why first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    original, called = CrossEntropy.forward, iter(range(10**6))
    is_last = process_rank() == process_count() - 1

    def broken(self, *arguments):
        named = original(self, *arguments)
        # Once to see what the losses reach, twice (for both parts of a batch) to measure gradients, then
        # once a step.
        return {"cls": named["cls"] * float("nan")} if is_last and next(called) == 4 else named

    CrossEntropy.forward = broken
    try:
        work(RunFolder(folder))
    except PursuhintError as error:
        (folder / f"said-{process_rank()}").write_text(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--break-the-last":
        sys.exit(break_the_last(Path(sys.argv[2])))
    from pursuhint.ranks import process_rank
    from pursuhint.training.settings import make_settings

    if sys.argv[1] == "--resume":
        given, place = json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3])
        settings = make_settings(**given)
        found = {
            "whole": stopped_and_resumed(settings, place / "whole", []),
            "resumed": stopped_and_resumed(settings, place / "resumed", [1, 3]),
        }
        torch.save(found, place / f"process-{process_rank()}.pt")
        sys.exit()
    given, place = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    settings = make_settings(**given)
    found = trained(settings, place) | {
        "contrast": contrasted(process_rank()),
        "statistics": own_statistics(settings),
    }
    torch.save(found, place / f"process-{process_rank()}.pt")
    for command in sys.argv[3:]:
        from pursuhint.cli import run

        (place / f"exit-{process_rank()}").write_text(str(run(command.split("|"))))
