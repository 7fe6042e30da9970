"""The subsets of blocks."""

import itertools
import math

import numpy as np
import pytest

from pursuhint.errors import InputError
from pursuhint.stability import draw_subsets


def test_subsets_hold_eighty_percent_once_each():
    subsets = draw_subsets(20, 100)
    assert subsets.shape == (100, 16)
    assert (np.diff(subsets, axis=1) > 0).all()
    assert subsets.min() == 0 and subsets.max() == 19
    assert len({tuple(row) for row in subsets.tolist()}) == 100


def test_every_block_is_in_as_many():
    shares = np.bincount(draw_subsets(20, 2000).ravel()) / 2000
    assert shares == pytest.approx(0.8, abs=5 * math.sqrt(0.8 * 0.2 / 2000))


def test_subsets_repeat_only_when_all_were_drawn():
    subsets = [tuple(row) for row in draw_subsets(5, 12).tolist()]
    everything = sorted(itertools.combinations(range(5), 4))
    assert sorted(subsets[:5]) == sorted(subsets[5:10]) == everything
    assert len(set(subsets[10:])) == 2


def test_the_seed_says_which():
    np.testing.assert_array_equal(draw_subsets(20, 10, seed=4), draw_subsets(20, 10, seed=4))
    assert (draw_subsets(20, 10, seed=4) != draw_subsets(20, 10, seed=5)).any()


@pytest.mark.parametrize("resamples", [1, 0, -3])
def test_too_few_subsets_are_refused(resamples):
    with pytest.raises(
        InputError, match=rf"`resamples` must be 2 or more, .* found {resamples}; 100 is usual"
    ):
        draw_subsets(20, resamples)


@pytest.mark.parametrize("blocks", [1, 2])
def test_too_few_blocks_are_refused(blocks):
    with pytest.raises(InputError, match=f"at least 3 blocks of images .* found {blocks}; take more"):
        draw_subsets(blocks, 10)
