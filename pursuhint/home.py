"""Where the user's own files live: runs, analyses, decoded images and teachers' targets."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return the data folder: ``PURSUHINT_HOME``, else ``~/.local/share/pursuhint`` (XDG is obeyed)."""
    chosen = os.environ.get("PURSUHINT_HOME")
    if chosen:
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "pursuhint"


def runs_folder() -> Path:
    """Return the folder that holds one folder a run."""
    return home() / "runs"


def analyses_folder() -> Path:
    """Return the folder that holds one folder an analysis."""
    return home() / "analyses"


def drafts_folder() -> Path:
    """Return the folder that holds one file a hint plan that somebody works at."""
    return home() / "drafts"


def images_folder() -> Path:
    """Return the folder that holds image folders decoded once into arrays."""
    return home() / "images"


def targets_folder() -> Path:
    """Return the folder that holds what teachers said of training images."""
    return home() / "targets"
