"""A run's journal, sorted by kind and read on from where one stopped."""

from __future__ import annotations

from dataclasses import dataclass, field

from pursuhint.jobs import Event
from pursuhint.runs.columns import Columns


@dataclass
class History:
    """A run's journal, sorted by kind; `extend` adds what came since.

    Attributes:
        steps, epochs: logged steps and finished epochs, as recorded by the trainer.
        facts: the latest event of every other kind (``start``, ``weights``, ``final``, ...).
        warnings: their texts, oldest first.
        states: changes of state, oldest first.
        offset: bytes of the journal that were read.
    """

    steps: Columns = field(default_factory=lambda: Columns("step"))
    epochs: Columns = field(default_factory=lambda: Columns("epoch"))
    facts: dict[str, Event] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    states: list[Event] = field(default_factory=list)
    offset: int = 0

    def extend(self, events: list[Event]) -> None:
        """Add events in their order; work that a resumed run did again replaces what it did first."""
        fresh: dict[str, list[Event]] = {"step": [], "epoch": []}  # columns grow by blocks, not one by one
        for event in events:
            kind = event["kind"]
            if kind in fresh:
                fresh[kind].append(event)
            elif kind == "warning":
                self.warnings.append(event["text"])
            elif kind == "state":
                self.states.append(event)
            else:
                self.facts[kind] = event
                if kind in ("resume", "weights"):
                    self._add(fresh)
                    # Weights settle once, before the first step: there was no checkpoint.
                    place = (event["epoch"], event["step"]) if kind == "resume" else (0, 0)
                    self._forget_after(*place)
        self._add(fresh)

    def _add(self, fresh: dict[str, list[Event]]) -> None:
        self.steps.extend(fresh["step"])
        self.epochs.extend(fresh["epoch"])
        fresh["step"], fresh["epoch"] = [], []

    def _forget_after(self, epoch: int, step: int) -> None:
        per_epoch = self.facts.get("start", {}).get("steps_per_epoch", 1)
        self.steps.keep(self.steps.column("step") <= epoch * per_epoch + step)
        self.epochs.keep(self.epochs.column("epoch") <= epoch)
