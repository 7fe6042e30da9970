"""The table of pages and what stands around every page."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app import warm  # noqa: E402

warm.wait()

from app import current, drafts, explain, failures, server_log, sidebar  # noqa: E402
from app.access.door import admitted  # noqa: E402

PAGES = ("Teacher", "Similarity", "What a layer sees", "Hint points", "Distill", "Runs", "Lesson")


def script(title: str) -> Path:
    return ROOT / "pages" / f"{title.lower().replace(' ', '_')}.py"


def main() -> None:
    server_log.begin()
    if not admitted():
        return
    page = st.navigation([st.Page(script(title), title=title, default=title == PAGES[0]) for title in PAGES])
    icon = str(ROOT / "assets" / "icon.svg")
    st.set_page_config(page_title=f"{page.title} · PURSUhInT", page_icon=icon, layout="wide")
    st.logo(str(ROOT / "assets" / "logo.svg"), size="large", icon_image=icon)
    failures.show_kept()
    explain.follow_address()
    with failures.shown():  # an address that names no analysis: the page shows the one opened first
        current.follow_address()
        drafts.follow_address()
    with failures.defects("sidebar"), failures.shown():
        sidebar.draw()
    with failures.defects("page"), failures.shown():
        page.run()


if __name__ == "__main__":
    main()
