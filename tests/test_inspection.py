"""What is known of each layer, written out anew from the matrix."""

from __future__ import annotations

import numpy as np
import pytest

from pursuhint.clustering import cluster_layers
from pursuhint.coverage import coverage
from pursuhint.errors import InputError
from pursuhint.inspection import layer_facts
from pursuhint.layers import Layer
from pursuhint.similarity import SimilarityMatrix
from pursuhint.similarity.notes import LayerNote

LAYERS = tuple(f"b{number}" for number in range(9))


@pytest.fixture
def similarity() -> SimilarityMatrix:
    rng = np.random.default_rng(5)
    walk = np.cumsum(rng.normal(size=(9, 3)), axis=0)
    values = np.exp(-np.linalg.norm(walk[:, None] - walk[None], axis=-1) / 4)
    notes = {name: LayerNote(64, 40, 15.6, "rank-deficient", "40 of 64 directions vary") for name in LAYERS}
    return SimilarityMatrix(values, LAYERS, "cka_linear", "mean", 1000, notes, {})


@pytest.fixture
def clustering(similarity):
    return cluster_layers(similarity, 3)


def test_likeness_is_read_off_the_matrix(similarity, clustering):
    for number, facts in enumerate(layer_facts(similarity, clustering.clusters, clustering.centres)):
        others = {name: similarity.values[number, n] for n, name in enumerate(LAYERS) if n != number}
        ranked = sorted(others, key=others.get)
        assert [name for name, _ in facts.most_like] == ranked[:-3:-1]
        assert [name for name, _ in facts.least_like] == ranked[:2]
        assert all(value == others[name] for name, value in (*facts.most_like, *facts.least_like))
        own = next(cluster for cluster in clustering.clusters if facts.name in cluster)
        assert facts.cluster_size == len(own)
        expected = np.mean([others[name] for name in own if name != facts.name]) if len(own) > 1 else None
        assert facts.cluster_similarity == pytest.approx(expected)


def test_a_layer_is_weighed_against_the_hint_point_of_its_cluster(similarity, clustering):
    hints = [LAYERS.index(name) for name in clustering.centres]
    before = coverage(similarity.values, hints)
    for facts in layer_facts(similarity, clustering.clusters, clustering.centres):
        own = next(cluster for cluster in clustering.clusters if facts.name in cluster)
        if facts.name in clustering.centres:
            changes = {
                name: coverage(similarity.values, exchanged(hints, facts.name, name)) - before
                for name in own
                if name != facts.name
            }
            if not changes:
                assert facts.swap is None
                continue
            assert facts.swap.hint == facts.name
            assert facts.swap.change == pytest.approx(max(changes.values()), abs=1e-12)
            assert changes[facts.swap.layer] == pytest.approx(facts.swap.change, abs=1e-12)
        else:
            (hint,) = set(own) & set(clustering.centres)
            assert (facts.swap.hint, facts.swap.layer) == (hint, facts.name)
            after = coverage(similarity.values, exchanged(hints, hint, facts.name))
            assert facts.swap.change == pytest.approx(after - before, abs=1e-12)


def exchanged(hints: list[int], gives: str, takes: str) -> list[int]:
    return [LAYERS.index(takes) if LAYERS[hint] == gives else hint for hint in hints]


def test_without_a_hint_point_in_its_cluster_the_most_similar_one_gives_way(similarity):
    first, *_ = layer_facts(similarity, [LAYERS[:3], LAYERS[3:]], ["b4", "b8"])
    nearest = max(("b4", "b8"), key=lambda name: similarity.values[0, LAYERS.index(name)])
    assert first.swap.hint == nearest


def test_a_layer_alone_in_its_cluster(similarity):
    first, *_ = layer_facts(similarity, [LAYERS[:1], LAYERS[1:]], ["b0", "b4"])
    assert (first.cluster_size, first.cluster_similarity, first.swap) == (1, None, None)


def test_what_was_not_measured_is_left_open(similarity, clustering):
    bare = SimilarityMatrix(similarity.values, LAYERS, "cka_linear", "mean", 1000, {}, {})
    facts = layer_facts(bare, clustering.clusters, clustering.centres)[0]
    assert (facts.type, facts.shape, facts.parameters, facts.chosen) == ("", "", None, None)
    assert (facts.width, facts.rank, facts.images_per_feature, facts.note) == (None, None, None, "")


def test_notes_layers_and_resamples_are_gathered(similarity, clustering):
    described = [Layer(name, "BasicBlock", (64, 8, 8), 1234, 0) for name in LAYERS]
    found = layer_facts(
        similarity, clustering.clusters, clustering.centres, described=described, frequency={"b1": 0.25}
    )
    assert [facts.chosen for facts in found] == [0.0, 0.25] + [0.0] * 7
    facts = found[0]
    assert (facts.type, facts.shape, facts.parameters) == ("BasicBlock", "64 ch · 8×8", 1234)
    assert (facts.width, facts.rank, facts.images_per_feature) == (64, 40, 15.6)
    assert facts.note == "40 of 64 directions vary"


def test_an_unknown_hint_point_names_the_nearest(similarity, clustering):
    with pytest.raises(InputError, match="unknown hint point `b44`: did you mean `b4`"):
        layer_facts(similarity, clustering.clusters, ["b44"])
