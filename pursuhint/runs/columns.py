"""Events of one kind as columns of numbers: what 100,000 steps need to be drawn without delay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, overload

import numpy as np

from pursuhint.jobs import Event

Place = tuple[str, ...]
"""The names on the way to a number: ``("total",)``, ``("raw", "cls")``."""


class Columns(Sequence[Event]):
    """A growing table of events; every number in them has a column, whatever else they hold is left out.

    It reads like the list of the events: ``columns[-1]["raw"]["cls"]``.

    Args:
        kind: of the events.

    Example:
        >>> columns = Columns("step")
        >>> columns.extend([{"kind": "step", "step": 1, "raw": {"cls": 2.5}}, {"kind": "step", "step": 2}])
        >>> columns[0], columns.column("raw", "cls").tolist()
        ({'kind': 'step', 'step': 1, 'raw': {'cls': 2.5}}, [2.5, nan])
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._values: dict[Place, np.ndarray] = {}
        self._whole: dict[Place, bool] = {}
        self._length = 0

    def extend(self, events: Sequence[Event]) -> None:
        """Append events, the oldest first."""
        start, self._length = self._length, self._length + len(events)
        for place, found in _columns(events):
            kinds = set(map(type, found)) - {type(None)}
            if kinds <= {int, float}:
                self._whole[place] = self._whole.get(place, True) and kinds <= {int}
                self._room(place)[start : self._length] = found  # None becomes NaN
        for place in self._values:
            self._room(place)

    def _room(self, place: Place) -> np.ndarray:
        """Return a place's values with room for all events; it doubles, so that appending stays cheap."""
        values = self._values.get(place, np.empty(0))
        if len(values) < self._length:
            grown = np.full(max(64, 2 * self._length), np.nan)
            grown[: len(values)] = values
            self._values[place] = values = grown
        return values

    def column(self, *place: str) -> np.ndarray:
        """Return the numbers at a place, float64, shape (n_events,); NaN where an event has none."""
        values = self._values.get(place)
        return np.full(self._length, np.nan) if values is None else values[: self._length]

    def names(self, *place: str) -> tuple[str, ...]:
        """Return what events hold below a place, in the order of appearance.

        Example:
            >>> columns = Columns("step")
            >>> columns.extend([{"total": 3.0, "raw": {"cls": 1.0, "kd": 2.0}}])
            >>> columns.names(), columns.names("raw")
            (('total', 'raw'), ('cls', 'kd'))
        """
        depth = len(place)
        found = (known[depth] for known in self._values if known[:depth] == place and len(known) > depth)
        return tuple(dict.fromkeys(found))

    def keep(self, wanted: np.ndarray) -> None:
        """Forget the events that are not wanted, bool of shape (n_events,)."""
        self._values = {place: values[: self._length][wanted] for place, values in self._values.items()}
        self._length = int(wanted.sum())

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(self._length))]
        row = range(self._length)[index]
        event: Event = {"kind": self.kind}
        for place, values in self._values.items():
            if values[row] == values[row]:
                inner = event
                for name in place[:-1]:
                    inner = inner.setdefault(name, {})
                inner[place[-1]] = int(values[row]) if self._whole[place] else float(values[row])
        return event

    def __iter__(self) -> Iterator[Event]:
        return (self[row] for row in range(self._length))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Columns) and list(self) == list(other)

    __hash__ = None


def _columns(events: Sequence[Event], above: Place = ()) -> Iterator[tuple[Place, list[Any]]]:
    """Yield the values at each place of events, None where an event has none.

    Column by column and without a loop over single values: a journal of 100,000 steps has two million.
    """
    for name in dict.fromkeys(chain.from_iterable(events)):
        found = [event.get(name) for event in events]
        inner = [value for value in found if value.__class__ is dict]
        if inner:
            found = [value if value.__class__ is dict else {} for value in found]
            yield from _columns(found, (*above, name))
        else:
            yield (*above, name), found
