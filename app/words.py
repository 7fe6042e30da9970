"""Names that people and files give, as they are written: never markup, never the page's own directions."""

from __future__ import annotations

import re
import unicodedata

MARKUP = re.compile(r"([\\`*_\[\]$~<>&|]|:(?=\w))")
"""What Streamlit's Markdown reads inside a line, ``:red[...]`` and ``:material/...:`` included."""
IN_SENTENCES = re.compile(r"([\\`*\[$<]|(?<!\w)_|_(?!\w)|~(?=~)|&(?=[\w#]+;)|:(?=\w))")
"""The same where it stands among words; what cannot begin anything is left as it is."""
SHORTCODE = re.compile(r":(?=[\w+/-]+:)")
"""The beginning of what becomes a picture after Markdown was read: ``:heart:``, ``:material/bolt:``."""
NOTHING = "\u2060"
"""A character of no width, between which and what follows no line breaks."""
CODE = re.compile(r"(`[^`]+`)")
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
    text = _escaped(" ".join(name.split()), MARKUP)
    turned = any(unicodedata.bidirectional(letter) in RIGHT_TO_LEFT for letter in text)
    return f"{ISOLATE}{text}{END}" if turned else text


def prose(text: str) -> str:
    r"""Write sentences of the library so that Markdown shows them; what stands between backticks stays code.

    The names in a sentence come from people and files, backticks around them or not.

    Example:
        >>> prose("`layer1.0` is [not](a) link; <b>"), prose("one` backtick")
        ('`layer1.0` is \\[not](a) link; \\<b>', 'one\\` backtick')
    """
    lines = (CODE.split(line.strip()) for line in text.splitlines())
    return "  \n".join(
        "".join(part if CODE.fullmatch(part) else _escaped(part, IN_SENTENCES) for part in line)
        for line in lines
    )


def _escaped(text: str, markup: re.Pattern[str]) -> str:
    return markup.sub(r"\\\1", SHORTCODE.sub(f":{NOTHING}", text))
