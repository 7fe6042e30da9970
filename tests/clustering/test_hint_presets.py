"""The choices made without looking at the layers."""

import pytest

from pursuhint.clustering import random_layers, uniform
from pursuhint.errors import InputError

RESNET56 = [f"layer{stage}.{block}" for stage in (1, 2, 3) for block in range(9)]


def test_uniform_takes_the_middle_of_each_stretch():
    assert uniform(RESNET56, 3) == ("layer1.4", "layer2.4", "layer3.4")
    assert uniform(RESNET56, 1) == ("layer2.4",)
    assert uniform(RESNET56, 27) == tuple(RESNET56)


@pytest.mark.parametrize("count", range(1, 28))
def test_uniform_layers_differ_and_are_in_depth_order(count):
    places = [RESNET56.index(name) for name in uniform(RESNET56, count)]
    assert len(set(places)) == count
    assert places == sorted(places)
    gaps = {later - earlier for earlier, later in zip(places, places[1:], strict=False)}
    assert max(gaps, default=0) - min(gaps, default=0) <= 1


def test_random_layers_are_the_same_for_the_same_seed():
    drawn = random_layers(RESNET56, 5, seed=3)
    assert drawn == random_layers(RESNET56, 5, seed=3)
    assert len(set(drawn)) == 5
    assert list(drawn) == sorted(drawn)
    assert len({random_layers(RESNET56, 5, seed=seed) for seed in range(20)}) == 20


def test_random_layers_are_drawn_evenly():
    counts = dict.fromkeys(RESNET56, 0)
    for seed in range(900):
        for name in random_layers(RESNET56, 3, seed=seed):
            counts[name] += 1
    assert min(counts.values()) > 60 and max(counts.values()) < 145  # 100 expected, standard deviation 9.4


@pytest.mark.parametrize("count", [0, 28])
def test_counts_outside_the_layers_are_refused(count):
    message = (
        rf"between 1 and the number of layers, 27: found {count}; choose at most 27, or offer more layers"
    )
    with pytest.raises(InputError, match=message):
        uniform(RESNET56, count)
    with pytest.raises(InputError, match=message):
        random_layers(RESNET56, count, seed=0)
