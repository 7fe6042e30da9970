"""The real app in a real browser: one server for the session, a fresh browser context for each test.

A test asks for `page` (or for `open_page`, to choose colours and size), walks with `visit` and `idle`, and
keeps pictures with `screenshot`. When it ends, the console must have been free of errors and no address
outside this machine may have been asked for. When it fails, the report says what its tabs showed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools.served import IDLE, SWITCHES, AppServer, NotServedError, find_browser, serve

# A deep link asks for these two below its own address first; Streamlit then finds them at the root.
HARMLESS_404 = re.compile(r"://[^/]+/[^/]+/_stcore/(health|host-config)")
STEP_MS = 120_000
ASKED_MS = 5_000
"""For what a tab shows after a failure; one that hangs does not answer."""
TOLD = 3_000
"""Characters of a page, and of the server's log, in the report of a failure."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add to the report of a failed test what its tabs showed and what the server said."""
    report = yield
    if report.failed and report.when == "call" and "open_page" in getattr(item, "funcargs", {}):
        for page in item.funcargs["open_page"].tabs:
            report.sections.append((f"shown at {page.url}", _shown(page)))
        log = item.funcargs["app"].log.read_text(encoding="utf-8", errors="replace")
        report.sections.append(("the server's log", log[-TOLD:]))
    return report


def _shown(page: Any) -> str:
    try:
        text = page.locator("body").inner_text(timeout=ASKED_MS)
        return "\n".join(filter(str.strip, text.splitlines()))[-TOLD:]
    except Exception as failure:  # closed, crashed, or busy for ever: that too tells
        return f"no answer: {failure}"


@pytest.fixture(scope="session")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., AppServer]]:
    """Start an app, by itself on a free port with an empty data folder: ``start_app(home=None)``."""
    started: list[AppServer] = []

    def start(home: Path | None = None) -> AppServer:
        started.append(serve(tmp_path_factory.mktemp("app"), home=home))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def app(start_app: Callable[..., AppServer]) -> AppServer:
    """The app that the tests of this session share."""
    return start_app()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium or Chrome, headless, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: use `make test`")
    with api.sync_playwright() as playwright:
        try:
            path = find_browser(playwright.chromium.executable_path)
        except NotServedError as missing:
            pytest.skip(str(missing))
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES)
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
    contexts, tabs = [], []

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
        tabs.append(page)
        complaints.watch(page)
        return page

    open_tab.tabs = tabs
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
        boxes = page.locator("[data-testid=stException], [class*=st-key-defect]")
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
