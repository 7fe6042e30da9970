"""Options that several commands share, each described once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pursuhint.analysis import AnalysisSettings

BUILTIN = "builtin:digits-resnet56"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on stdout.")]
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
        help="auto, imagenet, cifar10, cifar100, digits or mean/std[/size], as in 0.5,0.5,0.5/0.2,0.2,0.2/64."
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
Pooling = Annotated[str, typer.Option(help="How a feature map becomes a row: mean over positions.")]
Metric = Annotated[str, typer.Option(help="r2_cca, cka_linear or cka_rbf.")]
AnalysisDir = Annotated[
    Path | None, typer.Option("--analysis", help="Read this analysis instead of making one.")
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
    )


def takes_analysis_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, in place of its parameter `settings`, every option of `analysis_settings`."""
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "settings"]
    shared = list(inspect.signature(analysis_settings, eval_str=True).parameters.values())

    @functools.wraps(command)
    def run(**given: object) -> None:
        described = analysis_settings(**{p.name: given.pop(p.name) for p in shared})
        command(settings=described, **given)

    run.__signature__ = inspect.Signature([p.replace(kind=p.KEYWORD_ONLY) for p in (*own, *shared)])
    run.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
    return run
