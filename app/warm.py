"""The app's own modules, imported while the first visitor's browser loads Streamlit's."""

from __future__ import annotations

import pkgutil
import time
from importlib import import_module
from threading import Thread

from streamlit import runtime

import app

EVERY = 0.01
"""Seconds between two looks whether the server runs."""
STARTED = ("app.main", "app.serve")
"""Scripts, which are run and never imported."""
_imports: list[Thread] = []


def begin() -> None:
    """Begin to import them in a thread of their own."""
    thread = Thread(target=_import, name="imports the app", daemon=True)
    _imports.append(thread)
    thread.start()


def wait() -> None:
    """Wait for the end of what was begun: two threads that import the same would be in each other's way."""
    for thread in _imports:
        thread.join()


def _import() -> None:
    while not runtime.exists():  # which is told of our own drawings as they are imported
        time.sleep(EVERY)
    for found in pkgutil.walk_packages(app.__path__, f"{app.__name__}."):
        if found.name not in STARTED:
            import_module(found.name)
