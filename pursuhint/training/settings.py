"""The settings that describe one training run completely; the run folder keeps them as JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pursuhint.errors import InputError
from pursuhint.pairs import Pair
from pursuhint.plan import HintPlan

HintLoss = Literal["none", "at", "fitnet"]
LogitLoss = Literal["none", "kd"]
Schedule = Literal["cosine", "step", "constant"]


class Weights(BaseModel):
    """How the three terms are weighed.

    Attributes:
        mode: ``fixed`` multiplies the terms by the numbers below. ``balanced`` reads the numbers as shares:
            the weight of each term is set once, at the start, so that the norms of the terms' gradients on
            the student stand in the proportion of the shares, L_cls keeping weight 1.
        cls, logit, hint: gamma, alpha and beta, or the shares.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["balanced", "fixed"] = "balanced"
    cls: float = Field(1.0, ge=0, allow_inf_nan=False)
    logit: float = Field(1.0, ge=0, allow_inf_nan=False)
    hint: float = Field(0.5, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _something_counts(self) -> Weights:
        if self.cls + self.logit + self.hint == 0:
            raise ValueError("at least one weight must be above 0")
        if self.mode == "balanced" and self.cls == 0:
            raise ValueError("balanced weights need a share of L_cls above 0; use fixed weights without it")
        return self


class RunSettings(BaseModel):
    """One training run.

    Attributes:
        kind: ``distill`` (with a plan) or ``train`` (labels only).
        student: the network to train, such as ``zoo:resnet20``.
        data: the data set; `preprocess` its preprocessing (the teacher's own in a distillation).
        plan: the hint plan; None when `kind` is ``train``.
        pairs: hint point -> guided layer; empty takes the default pairs.
        teacher_weights: a checkpoint path that replaces the plan's.
        init: a checkpoint for the student's start weights.
        learning_rate: at the start; `schedule` says how it falls; `warmup` epochs of linear rise come first.
        steps_at: relative places in the run at which ``step`` multiplies the rate by 0.1.
        augmentation: None takes the data set's own.
        threads: CPU threads; the same number gives the same history. None takes what torch takes.
        keep_targets: V, to show each image in V views over and over and to ask the teacher about each view
            once, keeping its answers on disk; None shows a new view every epoch. `targets_limit` is how many
            gigabytes they may take.
        mirrors: ``tensorboard`` and ``mlflow`` are copies of the journal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["train", "distill"]
    name: str = ""
    student: str
    data: str
    preprocess: str
    plan: HintPlan | None = None
    pairs: tuple[Pair, ...] = ()
    teacher_weights: str | None = None
    init: str | None = None
    hint_loss: HintLoss = "none"
    logit_loss: LogitLoss = "none"
    temperature: float = Field(4.0, gt=0, allow_inf_nan=False)
    weights: Weights = Weights()
    epochs: int = Field(30, ge=1)
    batch_size: int = Field(64, ge=2)
    learning_rate: float = Field(0.05, gt=0, allow_inf_nan=False)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0, allow_inf_nan=False)
    schedule: Schedule = "cosine"
    warmup: float = Field(1.0, ge=0)
    steps_at: tuple[float, ...] = (0.625, 0.75, 0.875)
    augmentation: str | None = None
    seed: int = Field(0, ge=0)
    device: str = "auto"
    threads: int | None = Field(None, ge=1)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    limit: int | None = Field(None, ge=2)
    keep_targets: int | None = Field(None, ge=1)
    targets_limit: float = Field(10.0, gt=0, allow_inf_nan=False)
    mirrors: tuple[Literal["tensorboard", "mlflow"], ...] = ()

    @model_validator(mode="after")
    def _terms_have_sources(self) -> RunSettings:
        if self.kind == "distill" and self.plan is None:
            raise ValueError("a distillation needs a hint plan")
        if self.kind == "train" and (self.hint_loss != "none" or self.logit_loss != "none"):
            raise ValueError("training without a teacher has no hint loss and no logit loss")
        if self.keep_targets and self.hint_loss == self.logit_loss == "none":
            raise ValueError("without a hint loss and a logit loss there are no targets to keep")
        return self

    @property
    def title(self) -> str:
        """A short name for lists: the given one, else student and losses."""
        losses = [loss for loss in (self.logit_loss, self.hint_loss) if loss != "none"]
        return (
            self.name
            or f"{self.student.partition(':')[2] or self.student} · {' + '.join(losses) or 'no teacher'}"
        )


def make_settings(**fields: Any) -> RunSettings:
    """Build run settings.

    Raises:
        InputError: a value breaks its rule; names the field, the rule and the value found.

    Example:
        >>> make_settings(kind="train", student="zoo:resnet8", data="digits", preprocess="digits").title
        'resnet8 · no teacher'
    """
    try:
        return RunSettings.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        found = f"; found `{first['input']}`" if place and not isinstance(first["input"], dict) else ""
        raise InputError(
            f"{f'`{place}`: ' if place else ''}{first['msg'].removeprefix('Value error, ')}{found}"
        ) from None
