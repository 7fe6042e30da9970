"""What a reader of a run should know of its settings before it starts; no torch here."""

from __future__ import annotations

from pursuhint.training.recipes import shortened
from pursuhint.training.settings import RunSettings
from pursuhint.training.weight_presets import describe_preset, weight_preset


def start_notes(settings: RunSettings) -> list[str]:
    """Return the warnings that follow from the settings alone.

    Example:
        >>> from pursuhint.training.settings import make_settings
        >>> given = {"kind": "train", "student": "zoo:resnet8", "data": "digits", "preprocess": "digits"}
        >>> start_notes(make_settings(**given, recipe="imagenet", epochs=10))
        ['the recipe `imagenet` is shortened from 100 epochs to 10: its learning rate falls at 3, 6, 9']
    """
    notes = []
    if note := shortened(settings.recipe, settings.epochs):
        notes.append(note)
    preset = settings.weights.preset
    if preset and not weight_preset(preset).verified:
        notes.append(
            f"the weights are {describe_preset(preset)}: look at the shares of the gradient, or use balanced "
            f"weights"
        )
    return notes
