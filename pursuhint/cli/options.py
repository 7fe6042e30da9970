"""Options that several commands share, each described once."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pursuhint.analysis import AnalysisSettings
from pursuhint.clustering import METHODS, PRESETS
from pursuhint.errors import InputError
from pursuhint.hints import DEFAULT_CLUSTERS, DEFAULT_METHOD, DEFAULT_METRIC
from pursuhint.similarity import METRICS
from pursuhint.training.weight_presets import WEIGHT_PRESETS

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
ClustersOrAuto = Annotated[
    str,
    typer.Option(
        "--clusters", help="K, the number of hint points; `auto` takes the one of largest silhouette."
    ),
]
DiskLimit = Annotated[
    float, typer.Option(help="Gigabytes that the features may take; more is refused before the start.")
]
AnalysisDir = Annotated[
    Path | None, typer.Option("--analysis", help="Read this analysis instead of making one.")
]
Detach = Annotated[bool, typer.Option(help="Start it in a process of its own and return at once.")]
Now = Annotated[bool, typer.Option("--now", help="Train at once, beside a run that has the device.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Take the first steps, say what came of them, and keep nothing.")
]
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


def number_of_clusters(text: str) -> int | Literal["auto"]:
    """Read `--clusters`.

    Raises:
        InputError: neither a whole number nor ``auto``.
    """
    if text == "auto":
        return "auto"
    try:
        return int(text)
    except ValueError:
        raise InputError(f"`--clusters` must be a whole number or `auto`: found `{text}`") from None


def choice_options(
    metric: Metric = DEFAULT_METRIC,
    clusters: ClustersOrAuto = str(DEFAULT_CLUSTERS),
    method: Method = DEFAULT_METHOD,
    hint_point: HintPoint = None,
    seed: Seed = 0,
) -> dict[str, Any]:
    """Build what `pursuhint.hints.choose_hints` wants to know, from the options that describe it."""
    return {
        "metric": metric,
        "clusters": number_of_clusters(clusters),
        "method": method,
        "hint_points": tuple(hint_point or ()),
        "seed": seed,
    }


def training_options(
    recipe: Annotated[
        str | None,
        typer.Option(
            help="quick, cifar (240 epochs, steps) or imagenet (100 epochs, steps): fills what is not given "
            "of epochs, batch size, learning rate, decay and schedule; quick if left out."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images; 30 in quick.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Images a step, over all processes; 64 in quick.")
    ] = None,
    accumulate: Annotated[
        int, typer.Option(help="Work on each batch in this many parts: less memory, the same step.")
    ] = 1,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--lr",
            help="Learning rate at the start (SGD with momentum 0.9); 0.05 in quick. It belongs to the batch "
            "size: with twice the images a step, consider twice the rate. Nothing is scaled for you.",
        ),
    ] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Weight decay; 0.0005 in quick.")] = None,
    schedule: Annotated[
        str | None, typer.Option(help="How the learning rate falls: cosine (quick), step or constant.")
    ] = None,
    augmentation: Annotated[
        str | None,
        typer.Option(help="none, crop-flip, affine or resized-crop; else the recipe's or the data's own."),
    ] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="Of L_cls, from 0 to below 1.")] = None,
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
    limit: Annotated[
        int | None, typer.Option(help="Train on this many images of the training part only.")
    ] = None,
    precision: Annotated[str, typer.Option(help="32-true, bf16-mixed, 16-mixed or 64-true.")] = "32-true",
    compile_with: Annotated[
        str,
        typer.Option(
            "--compile",
            help="off, teacher or both (teacher and student): what torch.compile makes faster code of. It "
            "takes a minute before the start; meant for GPUs: on the CPU it gained nothing in our "
            "measurement. Without a C++ compiler the networks run as they are.",
        ),
    ] = "off",
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = None,
    mirror: Annotated[
        list[str] | None, typer.Option(help="Copy the figures to tensorboard or mlflow (repeatable).")
    ] = None,
    name: Annotated[str, typer.Option(help="What the run is called in lists.")] = "",
) -> dict[str, Any]:
    """Build the fields of run settings that every kind of training has."""
    from_recipe = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "schedule": schedule,
        "augmentation": augmentation,
        "label_smoothing": label_smoothing,
    }
    return given(**from_recipe) | {
        "recipe": recipe,
        "accumulate": accumulate,
        "mix": mix,
        "mix_alpha": mix_alpha,
        "ema": ema,
        "select": select,
        "limit": limit,
        "precision": precision,
        "compile": compile_with,
        "seed": seed,
        "device": device,
        "threads": threads,
        "mirrors": tuple(mirror or ()),
        "name": name,
    }


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given, so that the others keep what the settings say.

    Example:
        >>> given(epochs=3, batch_size=None)
        {'epochs': 3}
    """
    return {name: value for name, value in options.items() if value is not None}


def weight_options(
    balance: Annotated[
        bool, typer.Option("--balance", help="Weights are shares of the gradient (the default).")
    ] = False,
    weights_preset: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(WEIGHT_PRESETS)}; with the hint and the logit loss that it is for."),
    ] = None,
    weight_cls: Annotated[float | None, typer.Option(help="gamma, the weight of L_cls.")] = None,
    weight_logit: Annotated[float | None, typer.Option(help="alpha, the weight of L_logit.")] = None,
    weight_hint: Annotated[float | None, typer.Option(help="beta, the weight of L_hint.")] = None,
    weight_hint_last: Annotated[
        float | None, typer.Option(help="The weight of the last pair of at+crd; that of L_hint if left out.")
    ] = None,
) -> dict[str, Any]:
    """Build the fields of the weights; without `--balance`, numbers that are given are fixed weights."""
    numbers = given(cls=weight_cls, logit=weight_logit, hint=weight_hint, hint_last=weight_hint_last)
    if weights_preset is not None:
        return {"preset": weights_preset} | ({"mode": "balanced"} if balance else {}) | numbers
    if balance or not numbers:
        return {"mode": "balanced"} | numbers
    return {"mode": "fixed", "cls": 1.0, "logit": 0.0, "hint": 0.0} | numbers


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
