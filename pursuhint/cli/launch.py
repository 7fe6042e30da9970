"""The command that starts the app."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pursuhint.errors import InputError

SCRIPT = Path(__file__).parents[2] / "app" / "main.py"


def app(port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501) -> None:
    """Start the app on http://localhost:PORT."""
    if not SCRIPT.is_file():
        raise InputError(
            f"the app is not installed: `{SCRIPT}` is missing; run it from a checkout with `make app`"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise InputError(f"port {port} is not free; choose another one with `--port`") from None
    command = [sys.executable, "-m", "streamlit", "run", str(SCRIPT), "--server.port", str(port)]
    raise typer.Exit(subprocess.call(command))
