from __future__ import annotations

import numpy as np
import pytest

from pursuhint.runs.columns import Columns

EVENTS = [
    {"kind": "step", "step": 1, "total": 2.5, "raw": {"cls": 1.0, "kd": 1.5}},
    {"kind": "step", "step": 2, "total": 2.0, "raw": {"cls": 0.5}, "note": "said once"},
    {"kind": "step", "step": 3, "raw": {"cls": 0.25, "hint/a->b": 7}},
]


def numbers(event: dict) -> dict:
    """An event as columns can hold it: without words."""
    return {name: value for name, value in event.items() if name != "note"}


def test_events_come_back_as_they_were_but_for_words():
    columns = Columns("step")
    columns.extend(EVENTS)
    assert list(columns) == [numbers(event) for event in EVENTS]
    assert columns[-1]["raw"]["hint/a->b"] == 7 and isinstance(columns[0]["step"], int)
    assert columns[1:] == [numbers(event) for event in EVENTS[1:]]
    with pytest.raises(IndexError):
        _ = columns[3]


def test_a_column_has_a_place_for_every_event():
    columns = Columns("step")
    columns.extend(EVENTS)
    np.testing.assert_array_equal(columns.column("raw", "kd"), [1.5, np.nan, np.nan])
    np.testing.assert_array_equal(columns.column("total"), [2.5, 2.0, np.nan])
    np.testing.assert_array_equal(columns.column("never", "seen"), [np.nan] * 3)
    assert columns.names("raw") == ("cls", "kd", "hint/a->b")


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_in_parts_is_as_in_one(cut: int):
    whole, parts = Columns("step"), Columns("step")
    whole.extend(EVENTS * 50)
    parts.extend(EVENTS[:cut])
    parts.extend([])
    for event in (EVENTS * 50)[cut:]:
        parts.extend([event])
    assert parts == whole and len(parts) == 150


def test_what_is_forgotten_is_gone_and_more_can_come():
    columns = Columns("step")
    columns.extend(EVENTS)
    columns.keep(columns.column("step") <= 1)
    columns.extend(EVENTS[2:])
    assert [event["step"] for event in columns] == [1, 3]
    assert "total" not in columns[1]
