"""What a reader of a run should know of its settings before it starts; no torch here."""

from __future__ import annotations

from pursuhint.training.recipes import shortened
from pursuhint.training.settings import RunSettings
from pursuhint.training.weight_presets import describe_preset, weight_preset

FEWEST_SPANS = 3
"""A run should be so many times as long as its average reaches back: 5 % of the start is left then."""


def start_notes(settings: RunSettings, steps: int) -> list[str]:
    """Return the warnings that follow from the settings alone.

    Args:
        settings: of the run.
        steps: that it takes in all.

    Example:
        >>> from pursuhint.training.settings import make_settings
        >>> given = {"kind": "train", "student": "zoo:resnet8", "data": "digits", "preprocess": "digits"}
        >>> start_notes(make_settings(**given, recipe="imagenet", epochs=10), 1000)
        ['the recipe `imagenet` is shortened from 100 epochs to 10: its learning rate falls at 3, 6, 9']
    """
    notes = []
    if note := shortened(settings.recipe, settings.epochs):
        notes.append(note)
    if settings.ema is not None and steps * (1 - settings.ema) < FEWEST_SPANS:
        notes.append(
            f"the averaged weights reach back over about {1 / (1 - settings.ema):,.0f} steps and the run "
            f"takes {steps:,}: what is scored and exported is still near the weights it starts from; "
            f"lower `--ema`"
        )
    preset = settings.weights.preset
    if preset and not weight_preset(preset).verified:
        notes.append(
            f"the weights are {describe_preset(preset)}: look at the shares of the gradient, or use balanced "
            f"weights"
        )
    return notes
