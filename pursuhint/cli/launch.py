"""The command that starts the app."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pursuhint.errors import InputError

SCRIPT = Path(__file__).parents[2] / "app" / "serve.py"


def app(
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8501,
    address: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 serves others, who sign in with a token.")
    ] = "127.0.0.1",
) -> None:
    """Start the app on http://localhost:PORT, or for others at another address."""
    if not SCRIPT.is_file():
        raise InputError(
            f"the app is not installed: `{SCRIPT}` is missing; run it from a checkout with `make app`"
        )
    command = [sys.executable, str(SCRIPT), "--address", address, "--port", str(port)]
    raise typer.Exit(subprocess.call(command))
