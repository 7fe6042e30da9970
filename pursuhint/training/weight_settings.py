"""The settings of the weights: fixed numbers, shares of the gradient, a preset; and their schedules."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pursuhint.training.loss_names import term_of
from pursuhint.training.weight_presets import weight_preset
from pursuhint.training.weight_schedule import warmup_epochs

LAST_HINT = "hint:crd"
"""The part that compares the last pair where a hint loss has another one for it."""


class Weights(BaseModel):
    """How the three terms are weighed.

    Attributes:
        mode: ``fixed`` multiplies the terms by the numbers below. ``balanced`` reads the numbers as shares:
            the weight of each term is set once, at the start, so that the norms of the terms' gradients on
            the student stand in the proportion of the shares, L_cls keeping weight 1. The parts of a term
            that has several get equal parts of its share.
        cls, logit, hint: gamma, alpha and beta, or the shares.
        hint_last: beta of the last pair in a hint loss with another one for it (at+crd); None takes `hint`.
        preset: a name of `pursuhint.training.weight_presets`; it fills the numbers that are not given.

    Example:
        >>> Weights(preset="repdistiller-at", cls=0.5).model_dump(include={"mode", "cls", "hint"})
        {'mode': 'fixed', 'cls': 0.5, 'hint': 1000.0}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["balanced", "fixed"] = "balanced"
    cls: float = Field(1.0, ge=0, allow_inf_nan=False)
    logit: float = Field(1.0, ge=0, allow_inf_nan=False)
    hint: float = Field(0.5, ge=0, allow_inf_nan=False)
    hint_last: float | None = Field(None, gt=0, allow_inf_nan=False)
    preset: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("preset") is None:
            return given
        preset = weight_preset(str(given["preset"]))
        return {"mode": "fixed", "cls": preset.cls, "logit": preset.logit, "hint": preset.hint} | given

    @model_validator(mode="after")
    def _something_counts(self) -> Weights:
        if self.cls + self.logit + self.hint == 0:
            raise ValueError("at least one weight must be above 0")
        if self.mode == "balanced" and self.cls == 0:
            raise ValueError("balanced weights need a share of L_cls above 0; use fixed weights without it")
        if self.mode == "balanced" and self.preset:
            raise ValueError(
                f"the weights of the preset `{self.preset}` are fixed; leave out either of the two"
            )
        if self.mode == "balanced" and self.hint_last is not None:
            raise ValueError(
                "balanced weights give the last pair its share by themselves; leave out its weight"
            )
        return self

    def of(self, part: str) -> float:
        """Return the number that stands for a part.

        Example:
            >>> Weights(mode="fixed", hint=1000, hint_last=0.8).of("hint:crd")
            0.8
        """
        if part == LAST_HINT and self.hint_last is not None:
            return self.hint_last
        return getattr(self, term_of(part))


class WeightSchedules(BaseModel):
    """How the weights of the terms change during a run; see `pursuhint.training.weight_schedule`.

    Attributes:
        cls, logit, hint: ``constant``, ``decay`` or ``warmup:EPOCHS``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cls: str = "constant"
    logit: str = "constant"
    hint: str = "constant"

    @field_validator("cls", "logit", "hint")
    @classmethod
    def _is_a_schedule(cls, schedule: str) -> str:
        warmup_epochs(schedule)
        return schedule
