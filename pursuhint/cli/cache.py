"""Commands about kept work: analyses, decoded image folders and teachers' targets left on disk."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from pursuhint.analysis.kept import LIMIT_VARIABLE, Kept, clear, kept, size_limit
from pursuhint.cli import options as o
from pursuhint.cli.output import out, print_json, table
from pursuhint.errors import InputError
from pursuhint.files import in_bytes

app = typer.Typer(
    no_args_is_help=True, help=f"List and clear kept work; {LIMIT_VARIABLE} sets how many GB may be kept."
)


@app.command("list")
def list_all(as_json: o.AsJson = False) -> None:
    """List analyses, decoded images and teachers' targets with their size, the latest used first."""
    found = kept()
    total = sum(one.bytes for one in found)
    if as_json:
        print_json({"kept": [_plain(one) for one in found], "bytes": total, "limit": size_limit()})
        return
    rows = [
        (
            one.id,
            one.kind,
            one.what,
            in_bytes(one.bytes),
            _date(one.used),
        )
        for one in found
    ]
    if rows:
        table("kept work", ("id", "kind", "of", "size", "used"), rows)
    out.print(f"{in_bytes(total)} of {in_bytes(size_limit())} kept", highlight=False)


@app.command("clear")
def clear_some(
    ids: Annotated[list[str] | None, typer.Argument(help="What to remove, see `list`.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove all of it.")] = False,
    as_json: o.AsJson = False,
) -> None:
    """Remove kept work; it is made again when it is needed. What a process works on stays."""
    if bool(ids) == everything:
        raise InputError("name what to remove (see `pursuhint cache list`), or say `--all`")
    removed = clear(ids or None)
    freed = sum(one.bytes for one in removed)
    if as_json:
        print_json({"removed": [_plain(one) for one in removed], "bytes": freed})
    else:
        out.print(f"{len(removed)} removed, {in_bytes(freed)} freed", highlight=False)


def _plain(one: Kept) -> dict[str, Any]:
    return asdict(one) | {"path": str(one.path)}


def _date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"
