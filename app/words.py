"""Names that people and files give, as they are written: never markup, never the page's own directions."""

from __future__ import annotations

import re
import unicodedata

MARKUP = re.compile(r"([\\`*_\[\]$~<>&|]|:(?=\w))")
"""What Streamlit's Markdown reads inside a line, ``:red[...]`` and ``:material/...:`` included."""
RIGHT_TO_LEFT = {"R", "AL", "AN", "RLE", "RLO", "RLI"}
ISOLATE, END = "\u2068", "\u2069"


def plain(name: str) -> str:
    r"""Write a name so that Markdown shows it letter by letter, on one line.

    A name with letters that run from right to left is kept apart from the words beside it, which would change
    places with it.

    Example:
        >>> plain("<b>my_student</b> *2*"), plain("layer1.0"), plain("two\nlines")
        ('\\<b\\>my\\_student\\</b\\> \\*2\\*', 'layer1.0', 'two lines')
    """
    text = MARKUP.sub(r"\\\1", " ".join(name.split()))
    turned = any(unicodedata.bidirectional(letter) in RIGHT_TO_LEFT for letter in text)
    return f"{ISOLATE}{text}{END}" if turned else text
