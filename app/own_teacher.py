"""How the visitor's own teacher is to be trained, as the Teacher page shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pursuhint.allowed import typed_data, typed_path
from pursuhint.published import DEFAULT
from pursuhint.training.recipes import RECIPES
from pursuhint.training.settings import RunSettings, make_settings

Begin = Literal["random", "file", "published"]
Learn = Literal["slowly", "head", "all"]

USUAL = "quick"
BEGUN_EPOCHS = 10
"""Epochs for weights that are trained already."""
RATES: dict[Learn, tuple[float, float]] = {"slowly": (0.1, 0.02), "head": (0.0, 0.05), "all": (1.0, 0.005)}
"""What learns of trained weights -> the trunk's share of the learning rate, the rate that is proposed."""


@dataclass(frozen=True)
class OwnTeacher:
    """How a teacher is to be trained.

    Attributes:
        begin: with random weights, a checkpoint file or published weights.
        weights: path of the file.
        learn: of trained weights: all with a slower trunk, the head only, or all alike.
        recipe: a name of `pursuhint.training.recipes`; its visible numbers are copied to the fields here.
    """

    network: str = ""
    data: str = "digits"
    begin: Begin = "random"
    weights: str = ""
    learn: Learn = "slowly"
    preprocess: str = "auto"
    recipe: str = USUAL
    epochs: int = RECIPES[USUAL].epochs
    batch_size: int = RECIPES[USUAL].batch_size
    learning_rate: float = RECIPES[USUAL].learning_rate
    seed: int = 0
    name: str = ""

    def changed(self, **fields: object) -> OwnTeacher:
        """Return it with other values; a choice that proposes numbers brings them along.

        Example:
            >>> begun = OwnTeacher().changed(begin="file")
            >>> begun.epochs, begun.learning_rate, begun.changed(begin="random").epochs
            (10, 0.02, 30)
        """
        new = replace(self, **fields)
        if "recipe" in fields or (new.begin == "random" and "begin" in fields):
            own = RECIPES[new.recipe]
            new = replace(new, epochs=own.epochs, batch_size=own.batch_size, learning_rate=own.learning_rate)
        if new.begin != "random" and {"begin", "learn", "recipe"} & fields.keys():
            new = replace(new, epochs=BEGUN_EPOCHS, learning_rate=RATES[new.learn][1])
        return new

    def settings(self) -> RunSettings:
        """Return the settings of the run; its preprocessing may still be ``auto``.

        Raises:
            InputError: a number breaks its rule, or a path leads out of the folders that may be read.
        """
        starts = {"random": None, "published": DEFAULT, "file": _resolved(self.weights)}
        return make_settings(
            kind="train",
            name=self.name,
            student=self.network.strip(),
            data=typed_data(self.data.strip()),
            preprocess=self.preprocess.strip(),
            init=starts[self.begin],
            trunk_rate=1.0 if self.begin == "random" else RATES[self.learn][0],
            recipe=self.recipe if self.begin == "random" else USUAL,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=self.seed,
        )


def _resolved(path: str) -> str:
    return str(typed_path(path.strip())) if path.strip() else ""
