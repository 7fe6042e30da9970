"""What one visitor has chosen: one typed record under one key, changed by named transitions only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from pursuhint.analysis import AnalysisFolder
from pursuhint.hints import DEFAULT_CLUSTERS, DEFAULT_METHOD, DEFAULT_METRIC
from pursuhint.plan import HintPlan
from pursuhint.runs import History, RunFolder
from pursuhint.similarity import metrics_of
from pursuhint.students.target import DEFAULT_COMPRESSION
from pursuhint.training.recipes import RECIPES
from pursuhint.training.settings import HintLoss, LogitLoss, Weights
from pursuhint.training.weight_presets import WEIGHT_PRESETS

KEY = "pursuhint"
DEFAULT = Weights()
QUICK = RECIPES["quick"]
LayerMap = Literal["mds", "umap"]


@dataclass(frozen=True)
class Choice:
    """How the layers are grouped; a plan that a person edited belongs to one such choice.

    Attributes:
        samples: how many of the probe images count; None for all.
    """

    metric: str = DEFAULT_METRIC
    method: str = DEFAULT_METHOD
    clusters: int = DEFAULT_CLUSTERS
    samples: int | None = None


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
        training: a name of `pursuhint.training.recipes`; its visible numbers are copied to the fields here.
    """

    student: str = ""
    compression: float = DEFAULT_COMPRESSION
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


@dataclass
class AppState:
    """The visitor's choices.

    Attributes:
        teacher: folder of the current analysis; None until one was opened.
        watched: folder of the analysis that is being made, shown on the first page.
        choice: metric, method and number of clusters.
        edited: the plans that were changed by hand or opened from a file; all others are automatic.
        recipe: how the next student is to be trained.
        guided: hint point -> guided layer, where the default pair was changed, for the student of the recipe.
        launched: ticket of a Start button -> id of the run that its first click started.
        histories: what was read of each run's journal so far.
        problem: what went wrong in a callback, to be shown once.
        revision: counts the changes of plans; part of the keys of widgets that show one.
    """

    teacher: Path | None = None
    watched: Path | None = None
    choice: Choice = field(default_factory=Choice)
    edited: dict[Choice, HintPlan] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)
    guided: dict[str, str] = field(default_factory=dict)
    launched: dict[int, str] = field(default_factory=dict)
    ticket: int = 0
    histories: dict[str, History] = field(default_factory=dict)
    problem: str = ""
    revision: int = 0

    def open_teacher(self, analysis: AnalysisFolder) -> None:
        """Take another teacher: its matrix, clusters and plans replace the former ones."""
        self.teacher, self.watched = analysis.path, None
        allowed = metrics_of(analysis.card.pooling)
        metric = DEFAULT_METRIC if DEFAULT_METRIC in allowed else allowed[0]
        self.choice = Choice(metric, clusters=min(DEFAULT_CLUSTERS, len(analysis.layers)))
        self.edited, self.guided, self.recipe = {}, {}, replace(self.recipe, student="")
        self.revision += 1

    def watch(self, analysis: AnalysisFolder) -> None:
        """Follow an analysis that a worker makes."""
        self.watched = analysis.path

    def unwatch(self) -> None:
        """Stop following it; the worker is not touched."""
        self.watched = None

    def choose(self, **changed: str | int | None) -> None:
        """Change metric, method or clusters; a plan edited under another choice waits there."""
        self.choice = Choice(**(vars(self.choice) | changed))
        self.guided = {}
        self.revision += 1

    def edit(self, plan: HintPlan) -> None:
        """Keep a plan that a person changed, for the present choice."""
        self.edited[self.choice] = plan
        self.guided = {}
        self.revision += 1

    def adopt(self, plan: HintPlan, *, samples: int | None = None) -> None:
        """Take over a plan from a file, with its choice; one made by hand changes the default method's."""
        method = DEFAULT_METHOD if plan.method == "manual" else plan.method
        self.choice = Choice(plan.metric, method, len(plan.clusters), samples)
        self.edit(plan)

    def forget_edits(self) -> None:
        """Go back to the automatic plan of the present choice."""
        self.edited.pop(self.choice, None)
        self.guided = {}
        self.revision += 1

    def note(self, layer: str, why: str, plan: HintPlan) -> None:
        """Keep a reason for the changes that were made to a layer."""
        noted = (o.model_copy(update={"why": why}) if o.layer == layer else o for o in plan.overrides)
        self.edit(plan.model_copy(update={"overrides": tuple(noted)}))

    def cook(self, **changed: Any) -> None:
        """Change the recipe; another student gets its default pairs, a preset that no longer fits is left."""
        if changed.get("student", self.recipe.student) != self.recipe.student:
            self.guided = {}
            changed = {"allow_crossing": False} | changed
        self.recipe = replace(self.recipe, **changed).fitting()

    def guide(self, hint: str, guided: str) -> None:
        """Let another layer of the student imitate a hint point."""
        self.guided = self.guided | {hint: guided}
        self.revision += 1

    def launch(self, ticket: int, start: Callable[[], str]) -> str:
        """Start a run unless this ticket has started one; returns the id of the ticket's run."""
        if ticket not in self.launched:
            self.launched[ticket] = start()
        return self.launched[ticket]

    def renew_ticket(self) -> None:
        """Let the next Start button start another run; called where the last one is shown."""
        if self.ticket in self.launched:
            self.ticket += 1

    def history(self, run: RunFolder) -> History:
        """Read what a run's journal gained since it was last read."""
        self.histories[run.id] = run.history(self.histories.get(run.id))
        return self.histories[run.id]


def get() -> AppState:
    """Return the visitor's state, made on the first call."""
    if KEY not in st.session_state:
        st.session_state[KEY] = AppState()
    return st.session_state[KEY]
