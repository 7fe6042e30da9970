"""The choices made without looking at how alike the layers are, and the clusters around them."""

from dataclasses import replace

import numpy as np
import pytest

from pursuhint.clustering import PRESETS, preset_clustering, random_layers, silhouette, uniform
from pursuhint.errors import InputError
from pursuhint.layers import Layer
from tests.clustering.matrices import matrix, random_matrix

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


def layers_of(names: list[str], stages: list[int]) -> list[Layer]:
    return [Layer(name, "Block", (8, 4, 4), 0, stage) for name, stage in zip(names, stages, strict=True)]


def test_each_preset_chooses_from_what_it_is_given():
    layers = layers_of(RESNET56, [0] * 9 + [1] * 9 + [2] * 9)
    chosen = {name: preset.choose(layers, 3, 7, ["layer2.3"]) for name, preset in PRESETS.items()}
    assert chosen == {
        "stage_ends": ("layer1.8", "layer2.8", "layer3.8"),
        "uniform": ("layer1.4", "layer2.4", "layer3.4"),
        "random": random_layers(RESNET56, 3, seed=7),
        "manual": ("layer2.3",),
    }
    assert [name for name, preset in PRESETS.items() if preset.takes_clusters] == ["uniform", "random"]


@pytest.mark.parametrize("seed", range(5))
def test_every_layer_joins_the_hint_point_it_is_most_like(seed):
    similarity = random_matrix(15, seed)
    names = random_layers(similarity.layers, 4, seed)
    found = preset_clustering(similarity, names[::-1], method="random")
    assert found.centres == names
    assert found.method == "random"
    for layer, cluster in zip(similarity.layers, found.labels(), strict=True):
        row = similarity.values[similarity.layers.index(layer)]
        most = max(names, key=lambda name: row[similarity.layers.index(name)])
        assert names[cluster] == most
    assert found.silhouette == silhouette(similarity.distance(), np.array(found.labels()))


def test_between_two_equally_alike_hint_points_the_shallower_is_joined():
    similarity = matrix([[1.0, 0.5, 0.2], [0.5, 1.0, 0.5], [0.2, 0.5, 1.0]])
    assert preset_clustering(similarity, ["layer2", "layer0"]).labels() == (0, 0, 1)


def test_identical_hint_points_keep_a_cluster_each():
    found = preset_clustering(matrix(np.ones((4, 4))), ["layer1", "layer3"])
    assert found.clusters == (("layer0", "layer1", "layer2"), ("layer3",))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "at least one hint point is needed: found none; name a layer"),
        (["layer9"], r"unknown hint point `layer9`: did you mean `layer\d`\?"),
        (["layer1", "layer1"], "hint points must differ: found `layer1` more than once; name it once"),
        (["dead"], "`dead` cannot be a hint point: no feature varies; choose another layer"),
    ],
)
def test_names_that_do_not_fit_are_refused(names, message):
    similarity = replace(random_matrix(5), excluded={"dead": "no feature varies"})
    with pytest.raises(InputError, match=message):
        preset_clustering(similarity, names)
