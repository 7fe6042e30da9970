"""Short names say what tells layers apart, and tell apart all layers that their full names do."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pursuhint.short_names import LONGEST, cut_in_the_middle, fitting_names, short_names

LONG = [
    f"backbone.encoder.stages.{stage}.blocks.{block}.residual_branch.conv_normalisation_activation"
    for stage, block in product(range(3), range(11))
]


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["layer1.0", "layer2.10"], ("1.0", "2.10")),
        (["layer1.10", "layer1.11"], ("10", "11")),
        (["blocks.0", "blocks.1", "blocks.10"], ("0", "1", "10")),
        (["layer1", "layer1.0"], ("1", "1.0")),
        (["layer", "layer1"], ("layer", "layer1")),
        (["stem", "layer1.0"], ("stem", "layer1.0")),
        (["layer1.0.act", "layer1.1.act"], ("0", "1")),
        (["layer1.0_act", "layer1.1_act"], ("0_act", "1_act")),
        (["stages.0.x.y", "stages.1.x.y"], ("0", "1")),
        (["a.x", "b.x", "x"], ("a.x", "b.x", "x")),
        (["layer.x", "layer1.x"], (".x", "1.x")),
        (["features.conv"], ("features.conv",)),
    ],
)
def test_short_names(names, short):
    assert short_names(names) == short


def test_what_is_shared_at_both_ends_is_left_out():
    assert short_names(LONG)[12] == "1.blocks.1"


def test_what_is_shared_in_the_middle_is_left_out_of_names_that_stay_long():
    stem, *blocks, head = short_names(["stem.convolution_and_normalisation", *LONG, "head"])
    assert (stem, blocks[12], head) == ("stem…", "backbone…1…1…", "head")
    dense = [f"features.denseblock{block}.denselayer{layer}" for block in (1, 2) for layer in range(12)]
    assert short_names([*dense, "features.transition1"])[11:13] == ("denseblock1…11", "denseblock2…0")


def test_names_that_differ_have_short_names_that_differ():
    generator = np.random.default_rng(0)
    parts = ["a", "0", "1", "10", "_", ".", "conv", "normalisation", "stages", "x.1", "…"]
    for _ in range(300):
        sizes = generator.integers(1, 12, size=12)
        names = list(dict.fromkeys("".join(generator.choice(parts, size)) for size in sizes))
        assert len(set(short_names(names))) == len(names)
        for letters in (8, 16, 30):
            assert len(set(fitting_names(names, letters))) == len(names)


@pytest.mark.parametrize("letters", [10, 16, LONGEST, 27])
def test_names_fit_the_room(letters):
    fitting = fitting_names(LONG, letters)
    assert max(map(len, fitting)) <= letters and len(set(fitting)) == len(LONG)
    assert fitting_names(LONG, 99) == tuple(LONG)


def test_a_name_is_cut_in_the_middle():
    assert [len(cut_in_the_middle("conv_normalisation", letters)) for letters in (5, 6, 17, 18)] == [
        5,
        6,
        17,
        18,
    ]
