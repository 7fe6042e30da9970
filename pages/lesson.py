"""Why layers group, and what hints do: a lesson in seven steps."""

from app import cached, failures
from app.lesson import article
from pursuhint.analysis import BUILTIN_ANALYSIS

with failures.shown():
    article.follow_address()
with failures.shown():
    article.draw(cached.analysis(BUILTIN_ANALYSIS))
