"""What a run says while it trains, printed when it is said: a warning is of no use after the last epoch."""

from __future__ import annotations

from typing import Any

from pursuhint.cli.output import err, percent, table
from pursuhint.files import in_bytes


def announce(kind: str, **fields: Any) -> None:
    """Print the pairs, the warnings and what kept targets take.

    Args:
        kind: of the journal's entry.
        fields: of the entry.
    """
    if kind == "start" and fields["pairs"]:
        columns = ("hint point", "shape", "guided layer", "shape", "adapter", "parameters")
        table("Pairs", columns, [_pair_row(pair) for pair in fields["pairs"]])
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
