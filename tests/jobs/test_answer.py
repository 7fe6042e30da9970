"""How a worker ends: its exit code and the line it leaves in the log."""

from __future__ import annotations

import pytest

from pursuhint.errors import InputError, PursuhintError, StopRequested
from pursuhint.jobs import answer
from pursuhint.training.loop import Stopped


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            InputError("`samples` must be at least 4; found 3"),
            2,
            "error: `samples` must be at least 4; found 3\n",
        ),
        (PursuhintError("the loss is NaN"), 1, "error: the loss is NaN\n"),
        (StopRequested("cancelled"), 1, "cancelled\n"),
        (Stopped("stopped in epoch 2 after 1 of 3 steps"), 1, "stopped in epoch 2 after 1 of 3 steps\n"),
    ],
)
def test_an_error_is_called_so_and_a_stop_is_not(error, code, line, capsys):
    def work() -> None:
        raise error

    assert answer(work) == code
    assert capsys.readouterr() == ("", line)


def test_work_that_is_done_says_nothing(capsys):
    assert answer(lambda: "a value") == 0
    assert capsys.readouterr() == ("", "")
