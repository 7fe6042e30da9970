from __future__ import annotations

import pytest

from pursuhint.runs import History
from pursuhint.runs.pace import pace


def history(times: list[float], began: float = 0.0) -> History:
    found = History()
    steps = [{"kind": "step", "time": t, "step": n + 1, "epoch": (n + 1) / 4} for n, t in enumerate(times)]
    found.extend([{"kind": "state", "state": "running", "time": began}, *steps])
    return found


def test_a_steady_run_takes_as_long_as_until_now():
    found = pace(history([10.0, 12.0, 14.0, 16.0]), epochs=10, batch_size=32)
    assert found.images_per_second == pytest.approx(3 * 32 / 6)
    assert found.seconds_left == pytest.approx(9 * 4 * 2.0)  # nine epochs of four steps of two seconds


def test_the_time_that_a_run_lay_still_is_no_part_of_its_pace():
    resumed = history([10.0, 12.0, 1000.0, 1002.0], began=999.0)
    assert pace(resumed, epochs=10, batch_size=32).images_per_second == pytest.approx(16)


def test_nothing_is_said_before_two_steps():
    assert pace(history([5.0]), epochs=3, batch_size=2) is None
    assert pace(History(), epochs=3, batch_size=2) is None
