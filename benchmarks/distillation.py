"""Distillation with attention hints and KD against the plain loop, in images a second and in accuracy.

    python -m benchmarks.distillation --threads 1
    python -m benchmarks.distillation --device cuda --images 51200 --epochs 3
    python -m benchmarks.distillation --threads 1 --data digits --preprocess digits --images 1000 \
        --weights assets/teachers/digits-resnet56.safetensors --epochs 20 --views 4 --seed 0

The plain loop is what papers' code does: a data loader with torchvision's transforms, float32, contiguous
layout, hooks on both networks, the teacher under ``no_grad``. Ours is the trainer itself, with all that it
records. Each contestant trains ``--epochs`` epochs in a process of its own, of which the last one is timed;
with kept targets the first ``--views`` fill them. Aims: with kept targets >= 2.5x the plain loop and >= 0.9
of a student that trains alone.

With ``--data`` the validation accuracy is printed too. Start weights, losses, schedule and budget are the
same, order and views are drawn anew: compare several seeds, because one says little. On the CPU with one
thread the CPU seconds of the process count, not those of the clock on the wall, so that other work matters
less.

On a GPU the plain loop is given worker processes and pinned memory, ours also runs in bfloat16 and compiled,
and one more epoch, which is not timed, is watched by torch's profiler for the share of the time in which the
GPU computes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.transforms import v2 as transforms

from benchmarks.contest import Contestant, contest
from benchmarks.gpu import BusyShare
from benchmarks.subjects import arguments, images, network
from pursuhint.data import ImageData, Split, load_data
from pursuhint.device import bfloat16_pays, choose_device
from pursuhint.layers import candidate_layers, stage_ends
from pursuhint.models import build_model
from pursuhint.pairs import Pair
from pursuhint.plan import HintPlan
from pursuhint.preprocess import Preprocess, parse_preprocess
from pursuhint.recorder import ActivationRecorder
from pursuhint.teacher import Teacher, score
from pursuhint.training.loop import Trainer
from pursuhint.training.prepare import Parts
from pursuhint.training.schedule import learning_rate
from pursuhint.training.settings import RunSettings, make_settings

BATCH, TEMPERATURE = 128, 4.0
WEIGHTS = {"cls": 1.0, "logit": 1.0, "hint": 100.0}
PEAK = 0.05
"""Learning rate."""
WORKERS = 8
"""Processes of the plain loop's data loader on a GPU."""


def parts_of(given: argparse.Namespace) -> Parts:
    """Return teacher, student, pairs and images, without files where none are named."""
    device = choose_device(given.device)
    model = network(given).to(device)
    train, recipe = images(given), parse_preprocess(given.preprocess)
    held = load_data(given.data).validation if given.data else train.take(np.arange(BATCH))
    data = ImageData(
        spec=given.data or "random",
        id="benchmark",
        classes=tuple("0123456789"),
        train=train,
        validation=held,
        test=train.take(np.arange(BATCH)),
        preprocess=given.preprocess,
        augmentation="crop-flip",
    )
    teacher = Teacher(
        model=model,
        spec=given.network,
        weights=given.weights,
        hash="benchmark",
        classes=10,
        parameters=0,
        preprocess=recipe,
        device=str(device),
    )
    torch.manual_seed(given.seed)
    student = build_model(given.student, classes=10)
    shape = tuple(recipe.apply(train.images(slice(0, 1))).shape[1:])
    layers = [candidate_layers(one, shape) for one in (model, student.model)]
    ends = [stage_ends(one) for one in layers]
    pairs = tuple(Pair(hint, guided) for hint, guided in zip(*ends, strict=True))
    return Parts(data, recipe, "crop-flip", student, tuple(layers[1]), teacher, tuple(layers[0]), pairs)


def settings_of(given: argparse.Namespace, parts: Parts, **fields: Any) -> RunSettings:
    """Return the settings that all contestants share."""
    hints = tuple(pair.hint for pair in parts.pairs)
    plan = HintPlan(
        teacher=parts.teacher.ref,
        data=parts.data.spec,
        data_id=parts.data.id,
        sample_ids=(0,),
        metric="none",
        pooling="mean",
        method="stage-ends",
        layers=hints,
        clusters=tuple((hint,) for hint in hints),
        centres=hints,
    )
    taught = {
        "kind": "distill",
        "plan": plan,
        "hint_loss": "at",
        "logit_loss": "kd",
        "temperature": TEMPERATURE,
    }
    shared = {
        "student": given.student,
        "data": parts.data.spec,
        "preprocess": parts.preprocess.text,
        "epochs": given.epochs + on_gpu(given),  # the one that is watched
        "batch_size": BATCH,
        "learning_rate": PEAK,
        "weights": {"mode": "fixed", **WEIGHTS},
        "seed": given.seed,
        "threads": given.threads,
        "device": given.device,
    }
    return make_settings(**shared | taught | fields)


def clock_of(given: argparse.Namespace) -> Callable[[], float]:
    """Return the clock that counts; on a GPU it waits for the work that was sent there."""
    if choose_device(given.device).type == "cuda":
        return _after_the_gpu
    return time.process_time if given.threads == 1 else time.perf_counter


def _after_the_gpu() -> float:
    torch.cuda.synchronize()
    return time.perf_counter()


def on_gpu(given: argparse.Namespace) -> bool:
    """Say whether it is a GPU that is measured."""
    return choose_device(given.device).type == "cuda"


# -- ours --------------------------------------------------------------------------------------------------


def ours(given: argparse.Namespace, **fields: Any) -> Callable[[], np.ndarray]:
    """The trainer; its work returns what is measured of it.

    That is images a second in the last timed epoch, the validation accuracy after it, and the share of the
    time in which the GPU computes in the epoch that is watched.
    """
    parts = parts_of(given)
    events: list[dict[str, Any]] = []
    clock, watch = clock_of(given), BusyShare(choose_device(given.device))
    busy: list[float] = []

    def record(kind: str, **said: Any) -> None:
        events.append(said | {"kind": kind, "at": clock()})
        watched = kind == "step" and said["epoch"] > given.epochs
        if watched and not any(e["kind"] == "step" and e["epoch"] > given.epochs for e in events[:-1]):
            watch.start()  # not before: a checkpoint is written between the epochs
        if watched and said["epoch"] == given.epochs + 1:
            busy.append(watch.stop())

    def work() -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PURSUHINT_HOME"] = folder
            trainer = Trainer(
                settings_of(given, parts, **fields),
                parts if fields.get("kind") != "train" else replace(parts, teacher=None, pairs=()),
                folder=Path(folder),
                record=record,
            )
            trainer.start()
            trainer.run()
        steps = [e for e in events if e["kind"] == "step" and given.epochs - 1 < e["epoch"] <= given.epochs]
        (accuracy,) = (
            e["validation_accuracy"] for e in events if e["kind"] == "epoch" and e["epoch"] == given.epochs
        )
        trained = (steps[-1]["step"] - steps[0]["step"]) * BATCH
        return np.array([trained / (steps[-1]["at"] - steps[0]["at"]), accuracy, *(busy or [np.nan])])

    return work


# -- the plain loop ---------------------------------------------------------------------------------------


class Augmented(torch.utils.data.Dataset):
    """Images as a data loader of the usual kind reads them: one by one, through torchvision's transforms."""

    def __init__(self, split: Split, recipe: Preprocess) -> None:
        self._images, self._labels = split.images(), split.labels
        side = self._images.shape[1]
        self._transform = transforms.Compose(
            [
                transforms.ToImage(),
                transforms.RandomCrop(side, padding=side // 8),
                transforms.RandomHorizontalFlip(),
                transforms.ToDtype(torch.float32, scale=True),
                transforms.Normalize(recipe.mean, recipe.std),
            ]
        )

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self._transform(self._images[index]), int(self._labels[index])


def plain(given: argparse.Namespace) -> Callable[[], np.ndarray]:
    """The loop of the papers' code; returns what `ours` returns."""
    parts = parts_of(given)
    teacher, student = parts.teacher.model, parts.student.model.train()
    settings, clock = settings_of(given, parts), clock_of(given)
    device, gpu = choose_device(given.device), on_gpu(given)
    student.to(device)
    loader = torch.utils.data.DataLoader(
        Augmented(parts.data.train, parts.preprocess),
        batch_size=BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=WORKERS if gpu else 0,
        persistent_workers=gpu,
        pin_memory=gpu,
    )
    optimizer = torch.optim.SGD(
        student.parameters(), lr=PEAK, momentum=settings.momentum, weight_decay=settings.weight_decay
    )

    watch = BusyShare(device)

    def train(epoch: int) -> float:
        """Train for an epoch and return the images a second, without the first step."""
        for step, (pixels, labels) in enumerate(loader):
            optimizer.param_groups[0]["lr"] = learning_rate(settings, epoch + step / len(loader))
            pixels, labels = (values.to(device, non_blocking=gpu) for values in (pixels, labels))
            loss = _plain_loss(teacher, student, pixels, labels, parts.pairs)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step == 0:
                began = clock()
        return (len(loader) - 1) * BATCH / (clock() - began)

    def work() -> np.ndarray:
        rates = [train(epoch) for epoch in range(given.epochs)]
        accuracy = score(student, parts.data.validation, parts.preprocess).accuracy
        if not gpu:
            return np.array([rates[-1], accuracy, np.nan])
        watch.start()
        train(given.epochs)
        return np.array([rates[-1], accuracy, watch.stop()])

    return work


def _plain_loss(
    teacher: nn.Module, student: nn.Module, pixels: Tensor, labels: Tensor, pairs: tuple[Pair, ...]
) -> Tensor:
    with torch.no_grad(), ActivationRecorder(teacher, [pair.hint for pair in pairs]) as taught:
        wanted = teacher(pixels)
    with ActivationRecorder(student, [pair.guided for pair in pairs]) as learned:
        logits = student(pixels)
    soft, softer = (functional.log_softmax(values / TEMPERATURE, dim=1) for values in (logits, wanted))
    loss = WEIGHTS["cls"] * functional.cross_entropy(logits, labels)
    divergence = functional.kl_div(soft, softer, reduction="batchmean", log_target=True)
    loss = loss + WEIGHTS["logit"] * TEMPERATURE**2 * divergence
    for pair in pairs:
        maps = (
            functional.normalize(features.pow(2).mean(1).flatten(1))
            for features in (learned.outputs[pair.guided], taught.outputs[pair.hint])
        )
        loss = loss + WEIGHTS["hint"] * (next(maps) - next(maps)).pow(2).mean()
    return loss


def contestants(given: argparse.Namespace) -> dict[str, Contestant]:
    """Return what is measured on this machine."""
    found: dict[str, Contestant] = {
        "plain loop": plain,
        "ours": ours,
        "ours, targets kept": partial(ours, keep_targets=given.views),
        "student alone": partial(ours, kind="train", plan=None, hint_loss="none", logit_loss="none"),
    }
    fast = {"precision": "bf16-mixed"} if given.bfloat16 or bfloat16_pays(choose_device(given.device)) else {}
    if fast:
        found["ours, bfloat16"] = partial(ours, **fast)
    if given.compiled or on_gpu(given):
        found[f"ours, {'bfloat16, ' if fast else ''}compiled"] = partial(ours, compile="both", **fast)
    return {name: one for name, one in found.items() if given.only in name}


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__.splitlines()[0], images=10 * BATCH)
    parser.add_argument("--student", default="zoo:resnet20")
    parser.add_argument("--preprocess", default="imagenet")
    parser.add_argument("--epochs", type=int, default=2, help="the last one is timed")
    parser.add_argument("--views", type=int, default=1, help="whose targets are kept; fewer than epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bfloat16", action="store_true", help="also where there is no arithmetic for it")
    parser.add_argument("--compiled", action="store_true", help="also with torch.compile, as on a GPU always")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or auto")
    parser.add_argument("--only", default="", help="only contestants with this in their name")
    given = parser.parse_args()
    rounds: list[dict[str, np.ndarray]] = []
    for _ in range(given.rounds):
        once = argparse.Namespace(**vars(given) | {"rounds": 1})
        found = contest("benchmarks.distillation", once, contestants(given))
        if found is None:
            return
        rounds.append(found[1])
    where = torch.cuda.get_device_name() if on_gpu(given) else f"{given.threads} threads"
    print(f"{given.network} -> {given.student}, batches of {BATCH}, {where}")
    print(f"torch {torch.__version__}, median of {given.rounds} rounds")
    print(f"{'':<26}images/s   of plain   of student alone   accuracy   GPU computes")
    for name in rounds[0]:
        rate = np.median([found[name][0] for found in rounds])
        of = [
            np.median([found[name][0] / found[other][0] for found in rounds])
            if other in rounds[0]
            else np.nan
            for other in ("plain loop", "student alone")
        ]
        accuracy = f"{rounds[0][name][1]:.4f}" if given.data else "-"
        busy = np.median([found[name][2] for found in rounds])
        share = "-" if np.isnan(busy) else f"{busy:.0%}"
        print(f"{name:<26}{rate:8.0f}{of[0]:11.2f}{of[1]:19.2f}{accuracy:>11}{share:>15}")


if __name__ == "__main__":
    main()
