"""A run in this process, and what it says: a warning is of no use after the last epoch."""

from __future__ import annotations

from typing import Any

from pursuhint.cli.output import err, percent, progress_bars, table
from pursuhint.files import in_bytes
from pursuhint.runs import RunFolder


def work_here(run: RunFolder, *, now: bool, as_json: bool, finish: bool = False) -> None:
    """Work on a run in this process, with a bar and what it says; Ctrl-C stops it with a checkpoint.

    Args:
        run: to work on.
        now: do not wait until the device is free.
        as_json: stdout is for JSON.
        finish: train no further: measure and export the best student so far.
    """
    from pursuhint.runs.signals import stopping_on_signal
    from pursuhint.runs.worker import work

    def waiting(text: str) -> None:
        err.print(f"{run.id} {text}; `--now` trains beside it", highlight=False)

    with progress_bars(quiet=as_json) as progress, stopping_on_signal(run):
        watch = None if as_json else announce
        work(run, progress=progress, watch=watch, waiting=waiting, now=now, own=True, finish=finish)


def announce(kind: str, **fields: Any) -> None:
    """Print the pairs, the warnings and what kept targets take.

    Args:
        kind: of the journal's entry.
        fields: of the entry.
    """
    if kind == "start" and fields["pairs"]:
        columns = ("hint point", "shape", "guided layer", "shape", "adapter", "parameters")
        table("Pairs", columns, [_pair_row(pair) for pair in fields["pairs"]])
    elif kind == "start" and fields["beginning"]:
        err.print(f"{fields['student']} {fields['beginning']['text']}", style="dim", highlight=False)
    elif kind == "warning":
        err.print(fields["text"], style="yellow", highlight=False)
    elif kind == "targets":
        err.print(
            f"targets of the teacher: {in_bytes(fields['bytes'])} kept, views of an image: "
            f"{fields['views']}, found from earlier runs: {percent(fields['share_kept'])} (see `pursuhint "
            "cache list`)",
            style="dim",
            highlight=False,
        )


def _pair_row(pair: dict[str, Any]) -> tuple[object, ...]:
    hint, guided = (" x ".join(map(str, pair[side])) for side in ("hint_shape", "guided_shape"))
    return pair["hint"], hint, pair["guided"], guided, pair["adapter"], pair["adapter_parameters"]
