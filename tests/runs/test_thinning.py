from __future__ import annotations

import numpy as np
import pytest

from pursuhint.runs.thinning import MOST, shortened, thin, thin_view


@pytest.mark.parametrize("n", [MOST + 1, 4_097, 100_000, 131_072])
def test_extremes_of_every_stretch_stay_and_few_points_are_left(n: int):
    values = np.random.default_rng(n).normal(size=n).cumsum()
    chosen = thin(values)
    assert len(chosen) <= MOST
    assert {0, n - 1, values.argmin(), values.argmax()} <= set(chosen)
    size = 2  # anew and one by one: stretches of a power of two, as short as the limit allows
    while 2 * int(np.ceil(n / size)) + 2 > MOST:
        size *= 2
    expected = {0, n - 1}
    for start in range(0, n, size):
        stretch = list(values[start : start + size])
        expected |= {start + stretch.index(min(stretch)), start + stretch.index(max(stretch))}
    assert set(chosen) == expected


def test_the_line_does_not_shimmer_while_it_grows():
    values = np.random.default_rng(0).normal(size=5_000)
    before, after = thin(values[:4_900]), thin(values)
    settled = 4_900 - 16  # the last stretch may still change
    assert set(before[before < settled]) == set(after[after < settled])


def test_a_short_line_is_left_as_it_is():
    assert thin(np.zeros(MOST)).tolist() == list(range(MOST))
    assert thin(np.zeros(0)).tolist() == []


def test_points_without_a_value_are_passed_over():
    values = np.full(10_000, np.nan)
    values[7_777] = 1.0
    assert 7_777 in thin(values)


def test_what_is_looked_at_is_finer():
    places = np.arange(1, 100_001) / 500
    values = np.sin(places * 40)
    whole, near = thin_view(places, values), thin_view(places, values, (10.0, 10.5))

    def inside(chosen):
        return ((places[chosen] >= 10.0) & (places[chosen] <= 10.5)).sum()

    assert inside(whole) < 10 and inside(near) == 251
    assert len(near) <= MOST and places[near[0]] == 9.5 and places[near[-1]] == 11.0


def test_a_view_beyond_the_line_is_empty():
    assert thin_view(np.arange(10.0), np.arange(10.0), (50.0, 51.0)).tolist() == []


def test_numbers_are_cut_to_what_can_be_drawn():
    values = np.array([1 / 3, -2e-7 / 3, 1e6 / 7, 0.0])
    assert shortened(values) == pytest.approx(values, rel=5e-5)
    assert all(len(f"{abs(value):.10e}".rstrip("0")) for value in shortened(values))
    assert shortened(values)[0] == 0.33333
