"""How the next student is to be trained, as the Distill page shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pursuhint.students.target import DEFAULT_COMPRESSION, By
from pursuhint.training.recipes import RECIPES
from pursuhint.training.settings import Compile, HintLoss, LogitLoss, Mix, Precision, Select, Weights
from pursuhint.training.weight_presets import WEIGHT_PRESETS

DEFAULT = Weights()
QUICK = RECIPES["quick"]


@dataclass(frozen=True)
class Numbers:
    """What stands before the three terms: weights, or shares of the gradient; judged when a run starts."""

    cls: float
    logit: float
    hint: float


@dataclass(frozen=True)
class Recipe:
    """How a student is to be trained; trying fixed weights does not lose the shares, nor the other way.

    Attributes:
        weights: ``balanced``, ``fixed`` or the name of a preset.
        by: what the wanted `compression` is of.
        training: a name of `pursuhint.training.recipes`; its visible numbers are copied to the fields here.
    """

    student: str = ""
    compression: float = DEFAULT_COMPRESSION
    by: By = "parameters"
    allow_crossing: bool = False
    hint_loss: HintLoss = "at"
    logit_loss: LogitLoss = "kd"
    temperature: float = 4.0
    weights: str = "balanced"
    shares: Numbers = Numbers(DEFAULT.cls, DEFAULT.logit, DEFAULT.hint)
    fixed: Numbers = Numbers(1.0, 1.0, 50.0)
    logit_schedule: str = "constant"
    hint_schedule: str = "constant"
    training: str = "quick"
    epochs: int = QUICK.epochs
    batch_size: int = QUICK.batch_size
    learning_rate: float = QUICK.learning_rate
    label_smoothing: float = 0.0
    seed: int = 0
    threads: int | None = None
    mix: Mix = "none"
    ema: float | None = None
    select: Select = "validation"
    accumulate: int = 1
    precision: Precision = "32-true"
    compile: Compile = "off"
    keep_targets: int | None = None
    targets_limit: float = 10.0
    name: str = ""

    @property
    def numbers(self) -> Numbers:
        """The numbers in force."""
        if preset := WEIGHT_PRESETS.get(self.weights):
            return Numbers(preset.cls, preset.logit, preset.hint)
        return self.shares if self.balanced else self.fixed

    @property
    def balanced(self) -> bool:
        """Whether the numbers are shares of the gradient."""
        return self.weights == "balanced"

    @property
    def terms(self) -> list[str]:
        """The terms that it has."""
        return ["cls", *(term for term in ("logit", "hint") if getattr(self, f"{term}_loss") != "none")]

    def fitting(self) -> Recipe:
        """Return it without a preset that was published for other terms or another hint loss."""
        preset = WEIGHT_PRESETS.get(self.weights)
        if preset is None:
            return self
        same_logit_term = (preset.logit_loss == "none") == (self.logit_loss == "none")
        fits = preset.hint_loss == self.hint_loss and same_logit_term
        return self if fits else replace(self, weights="balanced")
