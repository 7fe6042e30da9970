"""Options that several commands share, each described once."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pursuhint.analysis import AnalysisSettings
from pursuhint.clustering import METHODS, PRESETS
from pursuhint.similarity import METRICS

BUILTIN = "builtin:digits-resnet56"

AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print JSON and nothing else on stdout; an error leaves it empty and is one line on stderr.",
    ),
]
Teacher = Annotated[
    str, typer.Option(help="zoo:resnet56, torchvision:resnet18, timm:NAME or builtin:digits-resnet56.")
]
WeightsFile = Annotated[
    Path | None, typer.Option(help="The teacher's checkpoint: safetensors or plain torch weights.")
]
Data = Annotated[str, typer.Option(help="digits, folder:PATH, cifar10[:ROOT], cifar100[:ROOT] or fake.")]
Preprocess = Annotated[
    str,
    typer.Option(
        help="auto, imagenet, cifar10, cifar100, digits, or mean/std and a size: 0.5,0.5,0.5/0.2,0.2,0.2/64."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu or a GPU such as cuda:0.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads; the same number gives the same history.")]
Depth = Annotated[int, typer.Option(help="Also offer modules up to this many levels below each sub-block.")]
Include = Annotated[
    list[str] | None, typer.Option(help="Also offer layers whose name fits this pattern (repeatable).")
]
Exclude = Annotated[
    list[str] | None, typer.Option(help="Leave out layers whose name fits this pattern (repeatable).")
]
Samples = Annotated[int | None, typer.Option(help="Probe images; 10,000 or all there are when left out.")]
Pooling = Annotated[
    str, typer.Option(help="How a feature map becomes a row: mean, grid2, grid4, flatten, token_mean or cls.")
]
Metric = Annotated[str, typer.Option(help=f"{', '.join(METRICS)}.")]
Method = Annotated[str, typer.Option(help=f"{', '.join([*METHODS, *PRESETS])}.")]
HintPoint = Annotated[
    list[str] | None, typer.Option(help="Take this layer, with `--method manual` (repeatable).")
]
Clusters = Annotated[int, typer.Option(help="K, the number of hint points.")]
DiskLimit = Annotated[
    float, typer.Option(help="Gigabytes that the features may take; more is refused before the start.")
]
AnalysisDir = Annotated[
    Path | None, typer.Option("--analysis", help="Read this analysis instead of making one.")
]
Detach = Annotated[bool, typer.Option(help="Start it in a process of its own and return at once.")]
AllowWeak = Annotated[bool, typer.Option(help="Go on with a teacher near chance level.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]


def analysis_settings(
    teacher: Teacher = BUILTIN,
    weights: WeightsFile = None,
    data: Data = "digits",
    preprocess: Preprocess = "auto",
    samples: Samples = None,
    pooling: Pooling = "mean",
    depth: Depth = 0,
    include: Include = None,
    exclude: Exclude = None,
    device: Device = "auto",
    threads: Threads = None,
    allow_weak_teacher: AllowWeak = False,
    disk_limit: DiskLimit = 10.0,
) -> AnalysisSettings:
    """Build analysis settings from the options that describe them."""
    return AnalysisSettings(
        teacher=teacher,
        weights=str(weights.expanduser().resolve()) if weights else None,
        data=data,
        preprocess=preprocess,
        samples=samples,
        pooling=pooling,
        depth=depth,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        device=device,
        threads=threads,
        allow_weak_teacher=allow_weak_teacher,
        disk_limit=disk_limit,
    )


def training_options(
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 30,
    batch_size: Annotated[int, typer.Option(help="Images a step, over all processes.")] = 64,
    accumulate: Annotated[
        int, typer.Option(help="Work on each batch in this many parts: less memory, the same step.")
    ] = 1,
    learning_rate: Annotated[
        float, typer.Option("--lr", help="Learning rate at the start (SGD with momentum 0.9).")
    ] = 0.05,
    weight_decay: Annotated[float, typer.Option(help="Weight decay.")] = 5e-4,
    schedule: Annotated[
        str, typer.Option(help="How the learning rate falls: cosine, step or constant.")
    ] = "cosine",
    augmentation: Annotated[
        str | None, typer.Option(help="none, crop-flip or affine; the data's own when left out.")
    ] = None,
    mix: Annotated[
        str, typer.Option(help="none, mixup or cutmix: blend each image and label with another one's.")
    ] = "none",
    mix_alpha: Annotated[float, typer.Option(help="alpha of the Beta distribution of the share.")] = 1.0,
    ema: Annotated[
        float | None,
        typer.Option(help="Score and export a running average of the weights, such as 0.999 a step."),
    ] = None,
    select: Annotated[
        str,
        typer.Option(help="Where the best epoch is chosen: validation, or test (optimistic)."),
    ] = "validation",
    init: Annotated[
        Path | None, typer.Option(help="Start from this checkpoint instead of random weights.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Train on this many images of the training part only.")
    ] = None,
    precision: Annotated[str, typer.Option(help="32-true, bf16-mixed, 16-mixed or 64-true.")] = "32-true",
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = None,
    mirror: Annotated[
        list[str] | None, typer.Option(help="Copy the figures to tensorboard or mlflow (repeatable).")
    ] = None,
    name: Annotated[str, typer.Option(help="What the run is called in lists.")] = "",
) -> dict[str, Any]:
    """Build the fields of run settings that every kind of training has."""
    return {
        "epochs": epochs,
        "batch_size": batch_size,
        "accumulate": accumulate,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "schedule": schedule,
        "augmentation": augmentation,
        "mix": mix,
        "mix_alpha": mix_alpha,
        "ema": ema,
        "select": select,
        "init": str(init.expanduser().resolve()) if init else None,
        "limit": limit,
        "precision": precision,
        "seed": seed,
        "device": device,
        "threads": threads,
        "mirrors": tuple(mirror or ()),
        "name": name,
    }


def takes(**builders: Callable[..., object]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command, in place of one of its parameters, every option of the function that builds its value.

    Args:
        builders: parameter of the command -> function whose own parameters are options.
    """

    def expand(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in _parameters(command) if p.name not in builders]
        shared = {name: _parameters(build) for name, build in builders.items()}

        @functools.wraps(command)
        def run(**given: object) -> None:
            built = {
                name: build(**{p.name: given.pop(p.name) for p in shared[name]})
                for name, build in builders.items()
            }
            command(**built, **given)

        options = (*own, *itertools.chain.from_iterable(shared.values()))
        every = [p.replace(kind=p.KEYWORD_ONLY) for p in options]
        run.__signature__ = inspect.Signature(every)
        run.__annotations__ = {p.name: p.annotation for p in every}
        return run

    return expand


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())
