"""Take the pictures of the README from the real app: ``python tools/pictures.py`` writes assets/pages/*.png.

Needs Chromium or Chrome on the PATH and what `make test` installs.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "assets" / "pages"
PAGES = {
    "teacher": "/",
    "similarity": "/similarity",
    "hint-points": "/hint_points",
    "distill": "/distill",
    "lesson": "/lesson?step=3",
}
WIDTH, HEIGHT = 1440, 1000
BROWSERS = ("chromium", "google-chrome", "chromium-browser")
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


def main() -> None:
    """Start the app on a free port with an empty data folder and photograph its pages, light and dark."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "main.py")]
    options = ["--server.headless", "true", "--server.port", str(port)]
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen([*command, *options], env=os.environ | {"PURSUHINT_HOME": home})
        try:
            _photograph(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
            server.wait()


def _photograph(url: str) -> None:
    _wait(url)
    browser_path = next(path for name in BROWSERS if (path := shutil.which(name)))
    flags = ["--disable-gpu", "--disable-background-networking"]
    flags += ["--no-sandbox"] if os.geteuid() == 0 else []
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=flags)
        for scheme in ("light", "dark"):
            context = browser.new_context(
                color_scheme=scheme, viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
            )
            page = context.new_page()
            for name, path in PAGES.items():
                page.goto(url + path)
                _settle(page)
                page.screenshot(path=OUT / f"{name}-{scheme}.png")
        browser.close()


def _wait(url: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health").close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.25)
        else:
            return
    raise SystemExit("the app did not start within 30 seconds")


def _settle(page: Page) -> None:
    """Wait until the page has run and its figures are drawn."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_selector(IDLE, timeout=60_000)
    page.wait_for_timeout(3000)
    page.wait_for_selector(IDLE, timeout=60_000)


if __name__ == "__main__":
    main()
