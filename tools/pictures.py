"""Take the pictures of the README from the real app: ``python -m tools.pictures`` writes assets/pages/*.png.

Needs Chromium or Chrome on the PATH and what `make test` installs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tools.served import IDLE, ROOT, SWITCHES, find_browser, serve

OUT = ROOT / "assets" / "pages"
PAGES = {
    "teacher": "/",
    "similarity": "/similarity",
    "what-a-layer-sees": "/what_a_layer_sees",
    "hint-points": "/hint_points",
    "distill": "/distill",
    "lesson": "/lesson?step=3",
}
WIDTH, HEIGHT = 1440, 1000


def main() -> None:
    """Start the app on a free port with an empty data folder and photograph its pages, light and dark."""
    with tempfile.TemporaryDirectory() as folder:
        server = serve(Path(folder))
        try:
            _photograph(server.url)
        finally:
            server.stop()


def _photograph(url: str) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=SWITCHES)
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


def _settle(page: Page) -> None:
    """Wait until the page has run and its figures are drawn."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_selector(IDLE, timeout=60_000)
    page.wait_for_timeout(3000)
    page.wait_for_selector(IDLE, timeout=60_000)


if __name__ == "__main__":
    main()
