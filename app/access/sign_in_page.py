"""The page that asks for the token: one file, no script, nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parents[2]


def sign_in_page(then: str, *, problem: str = "") -> str:
    """Return the page as HTML.

    Args:
        then: address to go on to.
        problem: why the last token did not open the app; empty the first time.

    Example:
        >>> 'value="/runs?a=1&amp;b=&quot;"' in sign_in_page('/runs?a=1&b="')
        True
    """
    note = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    return _template().substitute(then=escape(then), problem=note)


@cache
def _template() -> Template:
    page = Template((Path(__file__).parent / "sign_in.html").read_text(encoding="utf-8"))
    return Template(page.safe_substitute(logo=(ROOT / "assets" / "logo.svg").read_text(encoding="utf-8")))
