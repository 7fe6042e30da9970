from __future__ import annotations

import pytest

from pursuhint.runs import History
from pursuhint.runs.record import epoch_rows, step_table


def test_tables_hold_every_step_and_every_epoch(write_run):
    history = write_run(epochs=2).history()
    table = step_table(history)
    assert table["step"].tolist() == [1, 2, 3, 4] and table["epoch"].tolist() == [0.5, 1.0, 1.5, 2.0]
    assert table["weighted cls"].tolist() == pytest.approx([2, 1, 2 / 3, 0.5])
    assert table["raw hint/c->d"].tolist() == [3.0] * 4
    first, second = epoch_rows(history)
    assert first == pytest.approx(
        {"epoch": 1, "validation_accuracy": 0.52, "validation_cross_entropy": 0.5, "total": 1.25}
        | {"L_cls": 1.0, "L_hint": 0.25}
    )
    assert (second["epoch"], second["total"]) == (2, pytest.approx(0.625))


def test_a_run_that_has_not_begun_has_empty_tables():
    assert epoch_rows(History()) == [] and all(len(column) == 0 for column in step_table(History()).values())
