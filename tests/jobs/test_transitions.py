from __future__ import annotations

import itertools
from typing import get_args

import pytest

from pursuhint.errors import PursuhintError
from pursuhint.jobs.transitions import ENDED, LIVE, TRANSITIONS, State, transition

STATES = get_args(State)
WAYS = """
queued   -> queued running stopping stopped finished failed lost
running  -> stopping stopped finished failed lost
stopping -> stopping stopped finished failed lost
stopped  -> queued running failed
finished -> queued running
failed   -> queued running failed
lost     -> queued running failed
"""


def test_these_are_all_the_ways_and_every_other_is_refused():
    """Against the table as a person writes it down."""
    expected = {
        (line.split()[0], target) for line in WAYS.strip().splitlines() for target in line.split()[2:]
    }
    for current, target in itertools.product(STATES, STATES):
        if (current, target) in expected:
            assert current in transition(current, target).sources
        else:
            with pytest.raises(PursuhintError, match=f"`r` is {current} and cannot become {target}; from"):
                transition(current, target, job="r")


def test_a_job_without_a_state_may_take_each():
    assert {transition(None, state).target for state in STATES} == set(STATES)


def test_names_are_unique_and_every_live_state_can_end():
    assert len({one.name for one in TRANSITIONS}) == len(TRANSITIONS)
    assert set(LIVE) | set(ENDED) == set(STATES)
    for state in LIVE:
        assert {transition(state, end).target for end in ENDED} == set(ENDED)
