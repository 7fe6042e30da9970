"""How a run takes the signals that are meant to end its process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pursuhint.runs.folder import RunFolder

POLITE = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stopping_on_signal(run: RunFolder) -> Iterator[None]:
    """Make the first polite signal a request to stop with a checkpoint, and the next one the end.

    Args:
        run: that this process works on, in its main thread.

    Raises:
        KeyboardInterrupt: at the next signal, or when a request to stop was waiting already.
    """

    def handle(number: int, frame: FrameType | None) -> Any:
        if run.stop_asked():
            raise KeyboardInterrupt
        try:
            (run.path / "stop").touch()
        except OSError:  # a full disk takes no request and no checkpoint either
            raise KeyboardInterrupt from None

    before = {number: signal.signal(number, handle) for number in POLITE}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_together_on_signal(run: RunFolder, *, first: bool) -> None:
    """Let the first process answer for all: torchrun signals each, and again when one has ended.

    Args:
        run: that several processes work on.
        first: whether this is the first of them.
    """
    for number in POLITE:
        signal.signal(number, (lambda *_: (run.path / "stop").touch()) if first else signal.SIG_IGN)
