"""What one visitor has chosen: one typed record under one key, changed by named transitions only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st

from app.choices import Beside, Choice, KeptDraft, Look, Overlay, Sight, Step
from app.lesson.reading import Reading
from app.own_teacher import OwnTeacher
from app.recipe import Recipe
from pursuhint.analysis import AnalysisFolder
from pursuhint.drafts import Draft
from pursuhint.dry_run import DryRun
from pursuhint.hints import DEFAULT_CLUSTERS, DEFAULT_METRIC
from pursuhint.plan import HintPlan
from pursuhint.runs.panels import PALETTE
from pursuhint.similarity import metrics_of
from pursuhint.training.settings import RunSettings

KEY = "pursuhint"
STEPS = 100
"""Changes that can be undone."""
MOST_RUNS = len(PALETTE)
"""Runs whose curves are drawn over each other: as many as there are colours."""


@dataclass
class AppState:
    """The visitor's choices.

    Attributes:
        teacher: folder of the current analysis; None until one was opened.
        watched: folder of the analysis that is being made, shown on the first page.
        choice: metric, method and number of clusters.
        begun: the choice that the teacher was opened with.
        edited: the plans that were changed by hand or opened from a file; all others are automatic.
        past, future: what undoing and redoing go to, the nearest last.
        look: how the layers are shown.
        sight: which probe image is looked at.
        beside: what the matrix is compared with.
        draft: where the work is kept.
        recipe: how the next student is to be trained.
        own: how a teacher of the visitor's own is to be trained.
        own_tried: settings of the last dry run of it, as JSON, and what that told.
        guided: hint point -> guided layer, where the default pair was changed, for the student of the recipe.
        launched: ticket of a Start button -> id of the run that its first click started.
        asked_dry_run: whether a dry run is to be made as soon as the page knows its settings.
        tried: settings of the last dry run, and what it told.
        latencies: network -> seconds for an image, of those that were last measured side by side.
        overlay: which runs are looked at.
        heard: key of a drawing -> number of the last event that its script told of.
        lesson: how far the lesson was read.
        explains: whether explanations are shown; None until the address was asked.
        problem: what went wrong in a callback, to be shown once.
        revision: counts the changes of plans; part of the keys of widgets that show one.
    """

    teacher: Path | None = None
    watched: Path | None = None
    choice: Choice = field(default_factory=Choice)
    begun: Choice = field(default_factory=Choice)
    edited: dict[Choice, HintPlan] = field(default_factory=dict)
    past: list[Step] = field(default_factory=list)
    future: list[Step] = field(default_factory=list)
    look: Look = field(default_factory=Look)
    sight: Sight = field(default_factory=Sight)
    beside: Beside = field(default_factory=Beside)
    draft: KeptDraft = field(default_factory=KeptDraft)
    recipe: Recipe = field(default_factory=Recipe)
    own: OwnTeacher = field(default_factory=OwnTeacher)
    own_tried: tuple[str, DryRun] | None = None
    guided: dict[str, str] = field(default_factory=dict)
    launched: dict[int, str] = field(default_factory=dict)
    ticket: int = 0
    asked_dry_run: bool = False
    tried: tuple[RunSettings, DryRun] | None = None
    latencies: dict[str, float] = field(default_factory=dict)
    overlay: Overlay = field(default_factory=Overlay)
    heard: dict[str, float] = field(default_factory=dict)
    lesson: Reading = field(default_factory=Reading)
    explains: bool | None = None
    problem: str = ""
    revision: int = 0

    def open_teacher(self, analysis: AnalysisFolder) -> None:
        """Take another teacher: its matrix, clusters and plans replace the former ones."""
        self.teacher, self.watched = analysis.path, None
        allowed = metrics_of(analysis.card.pooling)
        metric = DEFAULT_METRIC if DEFAULT_METRIC in allowed else allowed[0]
        self.choice = self.begun = Choice(metric, clusters=min(DEFAULT_CLUSTERS, len(analysis.layers)))
        self.edited, self.guided, self.recipe = {}, {}, replace(self.recipe, student="")
        self.past, self.future, self.look = [], [], Look()
        self.sight, self.beside = Sight(), Beside()
        self.latencies = {}
        self.draft = KeptDraft(looked=self.draft.looked)
        self.revision += 1

    def watch(self, analysis: AnalysisFolder) -> None:
        """Follow an analysis that a worker makes."""
        self.watched = analysis.path

    def unwatch(self) -> None:
        """Stop following it; the worker is not touched."""
        self.watched = None

    def choose(self, **changed: str | int | None) -> None:
        """Change metric, method or clusters; a plan edited under another choice waits there."""
        choice = replace(self.choice, **changed)
        self._go(Step(choice, self.edited.get(choice)))

    def edit(self, plan: HintPlan) -> None:
        """Keep a plan that a person changed, for the present choice."""
        self._go(Step(self.choice, plan))

    def adopt(self, plan: HintPlan, *, samples: int | None = None) -> None:
        """Take over a plan from a file, with its choice."""
        self._go(Step(Choice.of_plan(plan, samples), plan))

    def forget_edits(self) -> None:
        """Go back to the automatic plan of the present choice."""
        self._go(Step(self.choice, None))

    def undo(self) -> None:
        """Go back by one change of choice or plan; without one nothing happens."""
        if self.past:
            self.future.append(self.step)
            self._put(self.past.pop())

    def redo(self) -> None:
        """Make the change that was last undone once more; without one nothing happens."""
        if self.future:
            self.past.append(self.step)
            self._put(self.future.pop())

    @property
    def step(self) -> Step:
        """The choice in force, with the plan that was changed under it."""
        return Step(self.choice, self.edited.get(self.choice))

    def _go(self, step: Step) -> None:
        """Change choice or plan so that it can be undone."""
        if step != self.step:
            self.past, self.future = [*self.past, self.step][-STEPS:], []
        self._put(step)

    def _put(self, step: Step) -> None:
        """Take a choice and its plan as they are; what was chosen for another one is dropped."""
        self.choice, self.guided = step.choice, {}
        if step.plan is None:
            self.edited.pop(step.choice, None)
        else:
            self.edited[step.choice] = step.plan
        self.revision += 1

    def renew_widgets(self) -> None:
        """Let the widgets that show a plan begin anew, without what a visitor put into them."""
        self.revision += 1

    def show(self, **changed: Any) -> None:
        """Change how the layers are shown."""
        self.look = replace(self.look, **changed)

    def see(self, **changed: Any) -> None:
        """Look at another probe image, or in another way."""
        self.sight = replace(self.sight, **changed)

    def compare(self, **changed: Any) -> None:
        """Change what the matrix is compared with; another network has other layers to explain."""
        before, self.beside = self.beside, replace(self.beside, **changed)
        networks = [(one.show == "student", one.run) for one in (before, self.beside)]
        if networks[0] != networks[1]:
            self.beside = replace(self.beside, pair=())

    def recall(self, draft: Draft, identity: str) -> None:
        """Take over what another visit left; there is nothing to undo yet."""
        self.edited |= {Choice.of_draft(one): one.plan for one in draft.waiting}
        self._put(Step(Choice.of_draft(draft), draft.plan))
        self.draft = KeptDraft(looked=True, id=identity, content=draft)

    def read(self, lesson: Reading) -> None:
        """Go on in the lesson."""
        self.lesson = lesson

    def explain(self, on: bool) -> None:
        """Show explanations, or hide them."""
        self.explains = on

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

    def school(self, **changed: Any) -> None:
        """Change how the visitor's own teacher is to be trained."""
        self.own = self.own.changed(**changed)

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

    def look_at(self, runs: Iterable[str]) -> None:
        """Draw these runs over each other, each in the colour that it was first seen in."""
        chosen = tuple(dict.fromkeys(runs))[:MOST_RUNS]
        colours = {run: self.overlay.colours[run] for run in chosen if run in self.overlay.colours}
        for run in chosen:
            free = (colour for colour in range(MOST_RUNS) if colour not in colours.values())
            colours.setdefault(run, next(free))
        self.overlay = replace(self.overlay, runs=chosen, colours=colours)

    def list_runs_by(self, **changed: Any) -> None:
        """Change which runs are listed, and how; it changes none of them."""
        self.overlay = replace(self.overlay, **changed)


def get() -> AppState:
    """Return the visitor's state, made on the first call."""
    if KEY not in st.session_state:
        st.session_state[KEY] = AppState()
    return st.session_state[KEY]
