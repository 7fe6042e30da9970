"""The settings that describe one training run completely; the run folder keeps them as JSON."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pursuhint.errors import InputError, one_line, unknown
from pursuhint.pairs import Pair
from pursuhint.plan import HintPlan
from pursuhint.preprocess import parse_preprocess
from pursuhint.students.target import Target
from pursuhint.training.recipes import recipe_named
from pursuhint.training.temperatures import usual_temperature
from pursuhint.training.weight_presets import presets_for, weight_preset
from pursuhint.training.weight_schedule import warmup_epochs
from pursuhint.training.weight_settings import Weights, WeightSchedules

HintLoss = Literal["none", "at", "fitnet", "sp", "vid", "crd", "at+crd", "pkt", "nst", "cc", "rkd", "cka"]
LogitLoss = Literal["none", "kd", "wsl", "dkd", "dist", "kd-std"]
Schedule = Literal["cosine", "step", "constant"]
Mix = Literal["none", "mixup", "cutmix"]
Select = Literal["validation", "test"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed", "64-true"]
Compile = Literal["off", "teacher", "both"]
NEED_HARD_LABELS = frozenset({"crd", "at+crd", "wsl", "dkd"})
"""Losses that ask which class an image is of: a mixed image has no answer."""


class RunSettings(BaseModel):
    """One training run.

    Attributes:
        kind: ``distill`` (with a plan) or ``train`` (labels only).
        student: the network to train, such as ``zoo:resnet20``.
        wanted: what was asked for where nobody named the student; `student` is what was found.
        data: the data set; `preprocess` its preprocessing (the teacher's own in a distillation).
        plan: the hint plan; None when `kind` is ``train``.
        pairs: hint point -> guided layer, in place of the plan's or the default pairs of these hint points.
        allow_crossing: let pairs cross, see `pursuhint.pairs.crossing`.
        allow_weak_teacher: go on with a teacher near chance level.
        teacher_weights: a checkpoint path that replaces the plan's.
        init: a checkpoint for the student's start weights. In a ``train`` run one for other classes gets a
            new head, and ``default`` takes the published weights of a torchvision or timm network.
        trunk_rate: share of the learning rate at which all but the head learns, of ``train`` runs that begin
            with trained weights; 0 freezes it, batch norm's statistics included.
        temperature: of the logit loss; its usual one when left out.
        weights: of the terms at the start; `weight_schedule` says how they change.
        label_smoothing: of L_cls.
        recipe: a name of `pursuhint.training.recipes`; it fills what is left out of the training's settings.
        learning_rate: at the start; `schedule` says how it falls; `warmup` epochs of linear rise come first.
        steps_at: relative places in the run at which ``step`` multiplies the rate by 0.1.
        batch_size: images a step, of all processes that train together; each works on its share in
            `accumulate` parts, one after the other.
        augmentation: None takes the data set's own.
        mix: blend each image and its label with another one's; `mix_alpha` says how evenly.
        ema: keep a running average of the student's weights, over about 1 / (1 - ema) steps; it is what is
            scored and exported.
        select: the part on which the best epoch is chosen. ``test`` is what published tables often do, best
            test epoch: optimistic, because the images that choose are those that judge.
        threads: CPU threads; the same number gives the same history. None takes what torch takes.
        keep_targets: V, to show each image in V views over and over and to ask the teacher about each view
            once, keeping its answers on disk; None shows a new view every epoch. `targets_limit` is how many
            gigabytes they may take.
        compile: what torch.compile makes faster code of: nothing, the teacher, or the student too. The
            networks' names and files stay the same; last digits differ from an uncompiled run's.
        mirrors: ``tensorboard`` and ``mlflow`` are copies of the journal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["train", "distill"]
    name: str = ""
    student: str
    wanted: Target | None = None
    data: str
    preprocess: str
    plan: HintPlan | None = None
    pairs: tuple[Pair, ...] = ()
    allow_crossing: bool = False
    allow_weak_teacher: bool = False
    teacher_weights: str | None = None
    init: str | None = None
    trunk_rate: float = Field(1.0, ge=0, le=1)
    hint_loss: HintLoss = "none"
    logit_loss: LogitLoss = "none"
    temperature: float = Field(4.0, gt=0, allow_inf_nan=False)
    weights: Weights = Weights()
    weight_schedule: WeightSchedules = WeightSchedules()
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    recipe: str | None = None
    epochs: int = Field(30, ge=1)
    batch_size: int = Field(64, ge=2)
    accumulate: int = Field(1, ge=1)
    learning_rate: float = Field(0.05, gt=0, allow_inf_nan=False)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0, allow_inf_nan=False)
    schedule: Schedule = "cosine"
    warmup: float = Field(1.0, ge=0, allow_inf_nan=False)
    steps_at: tuple[float, ...] = (0.625, 0.75, 0.875)
    augmentation: str | None = None
    mix: Mix = "none"
    mix_alpha: float = Field(1.0, gt=0, allow_inf_nan=False)
    ema: float | None = Field(None, gt=0, lt=1)
    select: Select = "validation"
    seed: int = Field(0, ge=0, lt=2**63)
    device: str = "auto"
    threads: int | None = Field(None, ge=1)
    precision: Precision = "32-true"
    limit: int | None = Field(None, ge=2)
    compile: Compile = "off"
    keep_targets: int | None = Field(None, ge=1)
    targets_limit: float = Field(10.0, gt=0, allow_inf_nan=False)
    mirrors: tuple[Literal["tensorboard", "mlflow"], ...] = ()

    @field_validator("*", mode="before")
    @classmethod
    def _can_be_shown(cls, given: Any) -> Any:
        if isinstance(given, str) and not given.isprintable():
            raise ValueError("must be text that can be shown on one line")
        return given

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        from_recipe = recipe_named(str(given["recipe"])).fields if given.get("recipe") is not None else {}
        usual = {"temperature": usual_temperature(str(given.get("logit_loss", "none")))}
        return from_recipe | usual | given

    @model_validator(mode="after")
    def _terms_have_sources(self) -> RunSettings:
        if self.kind == "distill" and self.plan is None:
            raise ValueError("a distillation needs a hint plan")
        if self.plan and parse_preprocess(self.preprocess) != parse_preprocess(self.plan.teacher.preprocess):
            raise ValueError(
                f"teacher and student see the same images: expected the preprocessing of the plan's teacher, "
                f"`{self.plan.teacher.preprocess}`, found `{self.preprocess}`; leave it out"
            )
        if self.kind == "train" and (self.hint_loss != "none" or self.logit_loss != "none"):
            raise ValueError("training without a teacher has no hint loss and no logit loss")
        if self.trunk_rate != 1 and (self.kind != "train" or self.init is None):
            raise ValueError(
                "only a training that begins with trained weights has a trunk to hold back; found "
                f"`trunk_rate` {self.trunk_rate:g} without them; give `--weights`, or leave it at 1"
            )
        if self.keep_targets and self.hint_loss == self.logit_loss == "none":
            raise ValueError("without a hint loss and a logit loss there are no targets to keep")
        return self

    @model_validator(mode="after")
    def _weights_fit_the_losses(self) -> RunSettings:
        if not any(getattr(self.weights, term) for term in self.terms):
            raise ValueError(
                f"every term of this run ({', '.join(self.terms)}) has weight 0; give one a weight"
            )
        self._check_preset()
        if self.weights.hint_last is not None and "+" not in self.hint_loss:
            raise ValueError(
                f"a weight of the last pair is for hint losses made of two, such as at+crd; found "
                f"`{self.hint_loss}`; leave it out"
            )
        return self

    def _check_preset(self) -> None:
        """Raise ValueError where a preset's weight stands before another loss than it was published for."""
        if (name := self.weights.preset) is None:
            return
        preset = weight_preset(name)
        if preset.hint_loss != self.hint_loss:
            fitting = ", ".join(presets_for(self.hint_loss))
            raise ValueError(
                f"the weights preset `{name}` is for the hint loss `{preset.hint_loss}`; found "
                f"`{self.hint_loss}`, whose reduction differs; use balanced weights"
                f"{f' or one of {fitting}' if fitting else ''}"
            )
        if preset.logit_loss != self.logit_loss and self.weights.logit == preset.logit > 0:
            raise ValueError(
                f"the weights preset `{name}` is for the logit loss `{preset.logit_loss}`; found "
                f"`{self.logit_loss}`; take the preset's, or give the logit loss a weight of its own"
            )

    @model_validator(mode="after")
    def _schedules_fit_the_run(self) -> RunSettings:
        if self.warmup > self.epochs:
            raise ValueError(
                f"the learning rate cannot rise over longer than the run; expected `warmup` of at most "
                f"{self.epochs}, found {self.warmup:g}"
            )
        if not all(0 < place < 1 for place in self.steps_at):
            raise ValueError(
                f"`steps_at` are places between 0, the start of the run, and 1, its end; found "
                f"{self.steps_at}; divide epochs by {self.epochs}"
            )
        for term, schedule in self.weight_schedule.model_dump().items():
            if schedule != "constant" and term not in self.terms:
                raise ValueError(f"this run has no {term} loss whose weight could follow `{schedule}`")
            if warmup_epochs(schedule) > self.epochs:
                raise ValueError(
                    f"the weight of L_{term} cannot rise over longer than the run; expected at most "
                    f"`warmup:{self.epochs}`, found `{schedule}`"
                )
        return self

    @model_validator(mode="after")
    def _batches_can_be_made(self) -> RunSettings:
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"`accumulate` must divide the batch size {self.batch_size}; found {self.accumulate}"
            )
        needing = NEED_HARD_LABELS & {self.hint_loss, self.logit_loss}
        if self.mix != "none" and needing:
            raise ValueError(
                f"`{min(needing)}` needs one class for each image, and `{self.mix}` blends two; "
                "set `mix` to none or choose another loss"
            )
        if self.mix != "none" and self.keep_targets:
            raise ValueError(
                f"targets are kept image by image, and `{self.mix}` blends two; set `mix` to none or "
                "`keep_targets` to None"
            )
        return self

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms that this run has, of `cls`, `logit` and `hint`."""
        losses = {"cls": "labels", "logit": self.logit_loss, "hint": self.hint_loss}
        return tuple(term for term, loss in losses.items() if loss != "none")

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
        if first["type"] == "literal_error":
            field = [part for part in first["loc"] if isinstance(part, str)][-1]
            names = re.findall("'([^']+)'", first["ctx"]["expected"])
            raise unknown(field.replace("_", " "), str(first["input"]), names) from None
        place = ".".join(str(part) for part in first["loc"])
        told = place and not isinstance(first["input"], dict)
        found = f"; found `{one_line(first['input'])}`" if told else ""
        raise InputError(
            f"{f'`{one_line(place)}`: ' if place else ''}"
            f"{one_line(first['msg'].removeprefix('Value error, '))}{found}"
        ) from None
