"""The real app in a real browser: one server for the session, a fresh browser context for each test.

A test asks for `page` (or for `open_page`, to choose colours and size), walks with `visit` and `idle`, and
keeps pictures with `screenshot`. When it ends, the console must have been free of errors and no address
outside this machine may have been asked for.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
SWITCHES = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
# A deep link asks for these two below its own address first; Streamlit then finds them at the root.
HARMLESS_404 = re.compile(r"://[^/]+/[^/]+/_stcore/(health|host-config)")
START_S = 60
STEP_MS = 60_000


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


@pytest.fixture(scope="session")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., AppServer]]:
    """Start an app, by itself on a free port with an empty data folder: ``start_app(home=None)``."""
    started: list[AppServer] = []

    def start(home: Path | None = None) -> AppServer:
        folder = tmp_path_factory.mktemp("app")
        home = home or folder / "pursuhint"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "app/main.py"]
        command += ["--server.headless", "true", "--server.port", str(port)]
        # A home folder of its own: no settings of the user's, and nothing written where they live.
        environment = os.environ | {"PURSUHINT_HOME": str(home), "HOME": str(folder)}
        with open(folder / "app.log", "wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        server = AppServer(f"http://127.0.0.1:{port}", port, home, folder / "app.log", process)
        started.append(server)
        _wait_until_healthy(server)
        return server

    yield start
    for server in started:
        server.stop()


def _wait_until_healthy(server: AppServer) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    server.kill()
    pytest.fail(f"the app did not start within {START_S} s; its log:\n{server.log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def app(start_app: Callable[..., AppServer]) -> AppServer:
    """The app that the tests of this session share."""
    if not (ROOT / "app" / "main.py").is_file():
        pytest.skip("app/main.py is not there")
    return start_app()


def _find_browser(bundled: str) -> str:
    """Return the path of the first browser that tells its version, or skip with what was found."""
    tried = []
    for path in [*filter(None, map(shutil.which, BROWSERS)), bundled]:
        try:
            answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and re.search(r"\d+\.\d+", answer.stdout):
            return path
        tried.append(path)
    found = f"{', '.join(tried)} does not run" if tried else "none found on the PATH"
    pytest.skip(f"no Chromium or Chrome: {found}; on Debian: apt-get install chromium")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium or Chrome, headless, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: use `make test`")
    with api.sync_playwright() as playwright:
        path = _find_browser(playwright.chromium.executable_path)
        switches = [*SWITCHES, "--no-sandbox"] if os.geteuid() == 0 else SWITCHES
        browser = playwright.chromium.launch(executable_path=path, args=switches)
        yield browser
        browser.close()


@dataclass
class Complaints:
    """What a page must not do: errors in the console, requests that leave this machine."""

    server: AppServer
    errors: list[str] = field(default_factory=list)

    def watch(self, page: Any) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("request", self._on_request)

    def _on_console(self, message: Any) -> None:
        address = message.location.get("url", "")
        if message.type == "error" and not HARMLESS_404.search(address):
            self.errors.append(f"console: {message.text} ({address})")

    def _on_request(self, request: Any) -> None:
        own = (self.server.url, self.server.url.replace("http", "ws", 1), "data:", "blob:")
        if not request.url.startswith(own):
            self.errors.append(f"request to {request.url}")


@pytest.fixture
def complaints(app: AppServer) -> Iterator[Complaints]:
    """Collects what the tabs of a test did wrong; clear `complaints.errors` where an error is the point."""
    collected = Complaints(app)
    yield collected
    assert not collected.errors, "\n".join(collected.errors)


@pytest.fixture
def open_page(browser: Any, app: AppServer, complaints: Complaints) -> Iterator[Callable[..., Any]]:
    """Open a tab as a new visitor: ``open_page(dark=True, width=420)``; addresses are relative to the app."""
    contexts = []

    def open_tab(*, dark: bool = False, width: int = 1440, height: int = 1000) -> Any:
        context = browser.new_context(
            base_url=app.url,
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": height},
            accept_downloads=True,
        )
        context.set_default_timeout(STEP_MS)
        contexts.append(context)
        page = context.new_page()
        complaints.watch(page)
        return page

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """A tab of 1440 x 1000 in light colours, not yet at any address."""
    return open_page()


@pytest.fixture(scope="session")
def idle() -> Callable[[Any], None]:
    """Wait until the script behind a tab has ended: ``idle(page)`` after each click."""

    def wait(page: Any) -> None:
        page.wait_for_timeout(200)  # a click reaches the server a moment later
        page.wait_for_selector(IDLE, state="attached")

    return wait


@pytest.fixture(scope="session")
def visit(idle: Callable[[Any], None]) -> Callable[[Any, str], None]:
    """Open an address of the app and wait, ``visit(page, "/runs")``; an error box there fails the test."""

    def go(page: Any, address: str = "/") -> None:
        page.goto(address)
        idle(page)
        boxes = page.locator("[data-testid=stException]")
        assert boxes.count() == 0, boxes.first.inner_text()

    return go


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[[Any, str], Path]:
    """Keep a picture of a whole page, ``screenshot(page, "runs-dark")``, in PURSUHINT_SCREENSHOTS.

    Without that variable it lands in the test's temporary folder. Streamlit scrolls an inner element, so the
    window is made as tall as the page for the moment.
    """
    folder = Path(os.environ.get("PURSUHINT_SCREENSHOTS") or tmp_path / "screenshots")

    def take(page: Any, name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        size = page.viewport_size
        tall = page.evaluate("document.querySelector('[data-testid=stMain]')?.scrollHeight || 0")
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], tall)})
        page.wait_for_timeout(500)  # charts and animations settle
        page.screenshot(path=str(path))
        page.set_viewport_size(size)
        return path

    return take
