"""The real app on a free port, and a browser to look at it: for pictures, benchmarks and tests."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
SWITCHES = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
"""What Chromium is started with; it refuses to have a sandbox when root asks for it."""
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
"""The page while no script runs behind it."""
START_S = 60


class NotServedError(Exception):
    """The app did not start, or there is no browser to look at it."""


@dataclass
class AppServer:
    """A running app: where it answers, what it keeps and what it said."""

    url: str
    port: int
    home: Path
    log: Path
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End the server alone, as a crash would; the jobs it started go on."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """End the server and every process that works in its data folder."""
        self.kill()
        for process in psutil.process_iter():
            try:
                if process.environ().get("PURSUHINT_HOME") == str(self.home):
                    process.kill()
            except psutil.Error:
                continue


def serve(
    folder: Path, *, home: Path | None = None, environment: Mapping[str, str] | None = None
) -> AppServer:
    """Start the app and wait until it answers.

    Args:
        folder: takes its log, and stands for the user's home: no settings of theirs count, and nothing is
            written where they live.
        home: what the app keeps; an empty folder in `folder` when None.
        environment: variables for it, besides those that are set.

    Raises:
        NotServedError: it ended, or gave no answer in time.
    """
    home = home or folder / "pursuhint"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app/serve.py", "--port", str(port)]
    own = {"PURSUHINT_HOME": str(home), "HOME": str(folder), "STREAMLIT_SERVER_HEADLESS": "true"}
    variables = os.environ | own | dict(environment or {})
    with open(folder / "app.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    server = AppServer(f"http://127.0.0.1:{port}", port, home, folder / "app.log", process)
    _wait_until_healthy(server)
    return server


def _wait_until_healthy(server: AppServer) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it asks for a token, or will say in the page what is wrong
        except OSError:
            time.sleep(0.02)
    server.kill()
    said = server.log.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise NotServedError(f"the app did not start within {START_S} s; its log:\n{said}")


def find_browser(*more: str) -> str:
    """Return the path of the first browser that tells its version.

    Args:
        more: paths to try after those on the PATH, such as a browser that came with Playwright.

    Raises:
        NotServedError: there is none; the message says what was found.
    """
    tried = []
    for path in [*filter(None, map(shutil.which, BROWSERS)), *more]:
        try:
            answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and re.search(r"\d+\.\d+", answer.stdout):
            return path
        tried.append(path)
    found = f"{', '.join(tried)} does not run" if tried else "none found on the PATH"
    raise NotServedError(f"no Chromium or Chrome: {found}; on Debian: apt-get install chromium")
