"""The command that looks whether everything is there."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.markup import escape

from pursuhint.cli import options as o
from pursuhint.cli.output import out, print_json

COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


def doctor(as_json: o.AsJson = False) -> None:
    """Look at versions, devices, memory, disk, runs, processes and tracker, and say what to do."""
    from pursuhint.doctor import examine, worst

    findings = []
    for one in examine():
        findings.append(one)
        if not as_json:
            sign = f"[{COLOURS[one.level]}]{one.level:<7}[/]"
            out.print(f"{sign}  [bold]{escape(f'{one.name:<12}')}[/]  {escape(one.found)}", highlight=False)
            if one.advice:
                out.print(f"{'':<21}[dim]→[/] {escape(one.advice)}", highlight=False)
    if as_json:
        print_json({"level": worst(findings), "findings": [asdict(one) for one in findings]})
    raise typer.Exit(1 if worst(findings) == "problem" else 0)
