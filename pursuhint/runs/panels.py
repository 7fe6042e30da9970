"""The curves of runs as plain values for a drawing: panels of lines, thinned to what can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pursuhint.runs.columns import Columns
from pursuhint.runs.history import History
from pursuhint.runs.thinning import View, shortened, thin_view
from pursuhint.training.loss_names import part_of, term_of
from pursuhint.view import COLOURS

FACTORS = {"cls": "γ", "logit": "α", "hint": "β"}
Kind = Literal["weighted", "raw", "share"]
KINDS: tuple[Kind, ...] = ("weighted", "raw", "share")
"""What is drawn of a term: times its weight, as the loss itself, or its part of the total."""
PALETTE = tuple(COLOURS.values())
TERM_COLOURS = dict(zip(FACTORS, PALETTE, strict=False))
MUTED = "#868ca0"
"""Grey that can be read on a light and on a dark page."""


@dataclass(frozen=True)
class Shown:
    """A run whose curves are drawn.

    Attributes:
        id, name: of the run.
        colour: of its lines beside those of other runs.
        history: what it has recorded.
    """

    id: str
    name: str
    colour: str
    history: History


@dataclass(frozen=True)
class Mark:
    """A level to compare with, such as the teacher's accuracy."""

    value: float
    name: str


@dataclass(frozen=True)
class Line:
    """One line of a panel.

    Attributes:
        name: in the legend.
        places: epochs, float, rising.
        values: of the same length.
    """

    name: str
    colour: str
    places: np.ndarray
    values: np.ndarray
    bold: bool = False


@dataclass(frozen=True)
class Panel:
    """One drawing.

    Attributes:
        id: stays the same while the panel is drawn again.
        title: above it; `aside` is a remark beside that.
        width: of the 12 columns of the page.
        unit: stands behind every value.
        marks: levels to compare with.
        empty: said in place of lines while there are none.
        floor: the axis begins there at the latest; None leaves it to the values.
        badge: a short name before the title, in the colour `colour`.
    """

    id: str
    title: str
    lines: tuple[Line, ...]
    aside: str = ""
    width: int = 4
    unit: str = ""
    marks: tuple[Mark, ...] = ()
    empty: str = "nothing was recorded"
    floor: float | None = None
    badge: str = ""
    colour: str = ""
    tall: bool = field(default=False)

    def to_dict(self, view: View | None = None) -> dict[str, Any]:
        """Return the panel as plain values, each line thinned to what is seen of it."""
        fields = {name: value for name, value in vars(self).items() if name not in ("lines", "marks")}
        lines = [one for line in self.lines if (one := _drawn(line, view))]
        return fields | {"lines": lines, "marks": [vars(mark) for mark in self.marks]}


def _drawn(line: Line, view: View | None) -> dict[str, Any] | None:
    known = np.isfinite(line.values)
    places, values = (line.places, line.values) if known.all() else (line.places[known], line.values[known])
    if not len(values):
        return None
    chosen = thin_view(places, values, view)
    return {
        "name": line.name,
        "colour": line.colour,
        "bold": line.bold,
        "x": np.round(places[chosen], 4).tolist(),
        "y": shortened(values[chosen]),
        "last": float(values[-1]),
        "end": round(float(places[-1]), 4),
        "all": len(values),
    }


def curves(
    shown: Sequence[Shown],
    *,
    epochs: int,
    kind: Kind = "weighted",
    marks: Sequence[Mark] = (),
    weights: str = "",
    live: bool = False,
    view: View | None = None,
) -> dict[str, Any]:
    """Describe the curves of a run, or of several over each other.

    Args:
        shown: the runs; alone, a run's terms share a panel, otherwise each term has one with a line a run.
        epochs: the end of the horizontal axis.
        kind: what is drawn of each term.
        marks: levels in the panel of the accuracy.
        weights: what the terms were multiplied by, in words.
        live: whether more is to come.
        view: the epochs that are looked at; None for all.

    Returns:
        ``epochs``, ``view`` and ``panels``, as plain values.
    """
    panels = [_accuracy(shown, marks, live), *_terms(shown, kind, weights, live)]
    if len(shown) == 1:
        panels += _hints(shown[0])
    panels += _conditions(shown)
    return {
        "epochs": epochs,
        "view": list(view) if view else None,
        "panels": [panel.to_dict(view) for panel in panels],
    }


def _accuracy(shown: Sequence[Shown], marks: Sequence[Mark], live: bool) -> Panel:
    return Panel(
        "accuracy",
        "Accuracy",
        tuple(_epochs(one, "validation_accuracy", 100, bold=True) for one in shown),
        aside="on the validation part",
        width=7,
        unit="%",
        marks=tuple(marks),
        empty="waiting for the first epoch" if live else "no epoch was finished",
        tall=True,
    )


def _terms(shown: Sequence[Shown], kind: Kind, weights: str, live: bool) -> Iterator[Panel]:
    aside = {"weighted": weights or "weighted, as they add up", "raw": "as they are, before their weights"}
    about = {
        "aside": aside.get(kind, "of the total"),
        "unit": "%" if kind == "share" else "",
        "floor": 0.0,
        "empty": "waiting for the first step" if live else "no step was made",
        "tall": True,
    }
    if len(shown) == 1:
        run = shown[0]
        total = [] if kind == "share" else [_steps(run, "total", MUTED, run.history.steps.column("total"))]
        lines = [
            _steps(run, _term_name(term, kind), TERM_COLOURS[term], values)
            for term, values in term_values(run.history.steps, kind).items()
        ]
        yield Panel("terms", "Loss, by term", (*total, *lines), width=5, **about)
        return
    totals = tuple(_steps(one, one.name, one.colour, one.history.steps.column("total")) for one in shown)
    yield Panel("total", "Total loss", totals, width=5, **about | {"aside": "", "unit": ""})
    about |= {"aside": "" if kind == "raw" else kind, "tall": False}
    found = [term_values(one.history.steps, kind) for one in shown]
    for term in FACTORS:
        lines = tuple(
            _steps(one, one.name, one.colour, values[term])
            for one, values in zip(shown, found, strict=True)
            if term in values
        )
        if lines:
            yield Panel(f"term-{term}", _term_name(term, kind), lines, **about)


def _term_name(term: str, kind: Kind) -> str:
    return f"L_{term}" if kind == "raw" else f"{FACTORS[term]}·L_{term}"


def term_values(steps: Columns, kind: Kind) -> dict[str, np.ndarray]:
    """Return what is drawn of each term: term -> a value for every step; shares in per cent.

    Example:
        >>> steps = Columns("step")
        >>> steps.extend([{"total": 4.0, "weighted": {"cls": 1.0, "hint": 3.0}}])
        >>> {term: values.tolist() for term, values in term_values(steps, "share").items()}
        {'cls': [25.0], 'hint': [75.0]}
    """
    if kind == "raw":
        names = steps.names("raw")
        found = {term: [name for name in names if term_of(name) == term] for term in FACTORS}
        return {
            term: np.sum([steps.column("raw", name) for name in of_term], axis=0)
            for term, of_term in found.items()
            if of_term
        }
    weighted = {term: steps.column("weighted", term) for term in steps.names("weighted")}
    if kind == "weighted":
        return weighted
    total = steps.column("total")
    return {
        term: 100 * np.divide(values, total, out=np.full(len(total), np.nan), where=total != 0)
        for term, values in weighted.items()
    }


def _hints(run: Shown) -> Iterator[Panel]:
    """Yield a panel for each hint point; of two hint losses at one point each has a line."""
    steps = run.history.steps
    named = [name for name in steps.names("raw") if term_of(name) == "hint" and "/" in name]
    points: dict[str, list[str]] = {}
    for name in named:
        points.setdefault(name.partition("/")[2], []).append(name)
    width = 12 // max(1, min(3, len(points)))
    for number, (pair, names) in enumerate(points.items()):
        colour = PALETTE[number % len(PALETTE)]
        lines = tuple(
            _steps(run, part_of(name).partition(":")[2] or "L_hint", colour, steps.column("raw", name))
            for name in names
        )
        about = {"aside": "raw", "width": width, "floor": 0.0, "badge": f"HP{number + 1}", "colour": colour}
        yield Panel(f"hint-{number}", pair.replace("->", " → "), lines, **about)


CONDITIONS: dict[str, tuple[str, Callable[[Shown, str], Line]]] = {
    "rate": (
        "Learning rate",
        lambda one, colour: _steps(one, one.name, colour, one.history.steps.column("learning_rate")),
    ),
    "speed": (
        "Images a second",
        lambda one, colour: _epochs(one, "images_per_second", 1, colour=colour),
    ),
    "cross-entropy": (
        "Validation cross-entropy",
        lambda one, colour: _epochs(one, "validation_cross_entropy", 1, colour=colour),
    ),
}
"""What else is drawn of every run: id -> title and line."""


def _conditions(shown: Sequence[Shown]) -> Iterator[Panel]:
    for name, (title, line_of) in CONDITIONS.items():
        lines = tuple(line_of(one, one.colour if len(shown) > 1 else MUTED) for one in shown)
        if any(len(line.values) for line in lines):
            yield Panel(name, title, lines, width=4, floor=0.0)


def _steps(run: Shown, name: str, colour: str, values: np.ndarray) -> Line:
    return Line(name, colour, run.history.steps.column("epoch"), values, bold=name == "total")


def _epochs(run: Shown, name: str, factor: float, *, colour: str = "", bold: bool = False) -> Line:
    columns = run.history.epochs
    values = factor * columns.column(name)
    return Line(run.name, colour or run.colour, columns.column("epoch"), values, bold)


def weights_in_words(settled: Mapping[str, float], schedules: Mapping[str, str]) -> str:
    """Write the weights that a run settled on, part by part.

    Args:
        settled: part -> weight.
        schedules: term -> how its weight changes from there.

    Example:
        >>> weights_in_words({"cls": 1.0, "hint:at": 812.34, "hint:crd": 0.8}, {"hint": "decay"})
        'γ = 1 · β (at) = 812.3, decay · β (crd) = 0.8, decay'
    """
    words = []
    for part, weight in settled.items():
        term, _, loss = part.partition(":")
        schedule = schedules.get(term, "constant")
        name = f"{FACTORS[term]}{f' ({loss})' if loss else ''}"
        words.append(f"{name} = {weight:.4g}{f', {schedule}' if schedule != 'constant' else ''}")
    return " · ".join(words)
