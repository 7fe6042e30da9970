"""The learning rate as a pure function of how far the run is."""

from __future__ import annotations

import math

from pursuhint.training.settings import RunSettings


def learning_rate(settings: RunSettings, epoch: float) -> float:
    """Return the learning rate at a (fractional) epoch.

    Args:
        settings: schedule, warm-up, epochs and the rate at the start.
        epoch: from 0 to ``settings.epochs``.

    Example:
        >>> from pursuhint.training.settings import make_settings
        >>> given = make_settings(kind="train", student="s", data="digits", preprocess="digits", epochs=10,
        ...                       learning_rate=0.1, warmup=0, schedule="step", steps_at=(0.5,))
        >>> learning_rate(given, 4.9), round(learning_rate(given, 5.0), 6)
        (0.1, 0.01)
    """
    rate = settings.learning_rate
    if settings.warmup and epoch < settings.warmup:
        return rate * max(epoch / settings.warmup, 1e-3)
    progress = epoch / settings.epochs
    if settings.schedule == "step":
        return rate * 0.1 ** sum(progress >= place for place in settings.steps_at)
    if settings.schedule == "cosine":
        return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return rate
