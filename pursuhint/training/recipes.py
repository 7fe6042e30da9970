"""Recipes: how long and how fast a network is trained; no torch here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pursuhint.augment import RESIZED_CROP
from pursuhint.errors import find_named


@dataclass(frozen=True)
class TrainingRecipe:
    """What a recipe says; each field is the run setting of the same name.

    Attributes:
        epochs: passes over the training images.
        batch_size: images a step; the learning rate belongs to it.
        learning_rate: at the start.
        weight_decay: of SGD with momentum 0.9.
        schedule: ``cosine`` or ``step``.
        warmup: epochs of linear rise of the learning rate.
        steps_at: relative places in the run at which ``step`` multiplies the rate by 0.1.
        augmentation: None takes the data set's own.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    schedule: str
    warmup: float
    steps_at: tuple[float, ...]
    augmentation: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The settings of a run that it fills."""
        return asdict(self)


RECIPES: dict[str, TrainingRecipe] = {
    "quick": TrainingRecipe(30, 64, 0.05, 5e-4, "cosine", 1.0, (0.625, 0.75, 0.875)),
    "cifar": TrainingRecipe(240, 64, 0.05, 5e-4, "step", 0.0, (150 / 240, 180 / 240, 210 / 240)),
    "imagenet": TrainingRecipe(100, 256, 0.1, 1e-4, "step", 0.0, (0.3, 0.6, 0.9), RESIZED_CROP),
}
"""`quick` is this project's default; `cifar` is RepDistiller's and that of PURSUhInT's example: x 0.1 at 150,
180 and 210 of 240 epochs; `imagenet` is RepDistiller's and mdistiller's: x 0.1 at 30, 60 and 90 of 100
epochs, random resized crops. With the others augmentation goes with the data."""


def recipe_named(name: str) -> TrainingRecipe:
    """Return a recipe by name.

    Raises:
        InputError: there is none.

    Example:
        >>> recipe_named("cifar").epochs
        240
    """
    return find_named("recipe", name, RECIPES)


def shortened(recipe: str | None, epochs: int) -> str | None:
    """Say that a run is shorter than a published recipe; None where it is not, or there is none.

    Example:
        >>> shortened("cifar", 24)
        'the recipe `cifar` is shortened from 240 epochs to 24: its learning rate falls at 15, 18, 21'
        >>> shortened("quick", 3)
    """
    found = RECIPES.get(recipe or "")
    if found is None or found.schedule != "step" or epochs >= found.epochs:
        return None
    places = ", ".join(f"{place * epochs:.3g}" for place in found.steps_at)
    return (
        f"the recipe `{recipe}` is shortened from {found.epochs} epochs to {epochs}: its learning rate falls "
        f"at {places}"
    )
