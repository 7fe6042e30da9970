"""What the first steps of a run told, as a table."""

from __future__ import annotations

from dataclasses import asdict

from pursuhint.cli.output import err, out, percent, print_json, progress_bars, several, table
from pursuhint.dry_run import dry_run
from pursuhint.files import in_bytes
from pursuhint.runs.pace import in_words
from pursuhint.runs.panels import weights_in_words
from pursuhint.training.settings import RunSettings


def tell_dry_run(settings: RunSettings, *, as_json: bool) -> None:
    """Do a dry run and print what came of it."""
    with progress_bars(quiet=as_json) as progress:
        tried = dry_run(settings, progress=progress)
    whole = tried.run_seconds(settings.epochs)
    if as_json:
        print_json(asdict(tried) | {"epoch_seconds": tried.epoch_seconds, "run_seconds": whole})
        return
    for text in tried.warnings:
        err.print(text, style="yellow", highlight=False)
    rows = [
        (part, f"{tried.weights[part]:.4g}", f"{loss:.4g}", f"{tried.weighted[part]:.4g}", percent(share))
        for (part, loss), share in zip(tried.losses.items(), tried.shares.values(), strict=True)
    ]
    table("The first step", ("part", "weight", "loss", "weight x loss", "of the gradient"), rows)
    if tried.settled != tried.weights:
        later = weights_in_words(tried.settled, settings.weight_schedule.model_dump())
        out.print(f"over the run: {later}", highlight=False)
    out.print(
        f"\n{several(tried.steps, 'step')} an epoch, {in_words(tried.epoch_seconds)} with its scoring; "
        f"{several(settings.epochs, 'epoch')} in about {in_words(whole)} on {tried.device}, "
        f"{in_words(tried.ready_seconds)} of it until the first step; {in_bytes(tried.peak_bytes)} of memory",
        highlight=False,
    )
    if tried.views:
        views, size = several(tried.views, "view"), in_bytes(tried.targets_bytes)
        out.print(f"the teacher's targets of {views} take {size} of disk", highlight=False)
