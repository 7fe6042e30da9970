"""The PURSUhInT rule against a literal transcription, against values found by hand, and where it cycles."""

import numpy as np
import pytest

from pursuhint.clustering.depth_means import MOST_ROUNDS, depth_means


def random_distance(depth: int, seed: int, levels: int | None = None) -> np.ndarray:
    """Return a rough distance matrix; a few levels, exact in binary, make ties."""
    rng = np.random.default_rng(seed)
    rough = (
        rng.random((depth, depth)) if levels is None else rng.integers(1, levels + 1, (depth, depth)) / levels
    )
    distance = np.triu(rough, 1)
    return distance + distance.T


def transcription(distance: np.ndarray, count: int) -> tuple[list[int], list[list[int]], bool]:
    """Follow the rule word by word, without arrays."""
    depth = len(distance)
    centres = (
        [int(t * (depth - 1) / (count - 1)) for t in range(count)] if count > 1 else [int((depth - 1) / 2)]
    )
    states = []
    for _ in range(MOST_ROUNDS):
        clusters = [[] for _ in centres]
        total = 0.0
        for layer in range(depth):
            nearest = min(range(count), key=lambda c: (distance[layer][centres[c]], centres[c]))
            clusters[nearest].append(layer)
            total += distance[layer][centres[nearest]]
        states.append((total, centres, clusters))
        moved = []
        for centre, members in zip(centres, clusters, strict=True):
            target = int(sum(members) / len(members)) if members else None
            moved.append(min(members, key=lambda m: (abs(m - target), m)) if members else centre)
        if moved == centres:
            return centres, clusters, False
        if any(moved == earlier for _, earlier, _ in states):
            break
        centres = moved
    _, centres, clusters = min(states, key=lambda state: state[0])
    return centres, clusters, True


@pytest.mark.parametrize("levels", [None, 4])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_agrees_with_the_rule_word_by_word(count, levels):
    cycled = 0
    for seed in range(60):
        distance = random_distance(9, seed, levels)
        centres, clusters, cycles = transcription(distance, count)
        found = depth_means(distance, count)
        assert found.centres.tolist() == centres
        assert [np.flatnonzero(found.labels == c).tolist() for c in range(count)] == clusters
        assert found.cycled == cycles
        cycled += cycles
    assert cycled > 0 or count in (1, 9) or levels, "rough matrices are to test the cycle too"


def test_a_line_of_layers_is_cut_evenly():
    line = np.abs(np.subtract.outer(np.arange(9.0), np.arange(9.0)))
    found = depth_means(line, 3)
    assert found.centres.tolist() == [1, 4, 7]  # seeds 0, 4, 8; layer 2 ties between 0 and 4 and joins 0
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert not found.cycled


@pytest.mark.parametrize(("depth", "middle"), [(1, 0), (2, 0), (27, 13), (54, 26)])
def test_one_cluster_is_centred_on_the_middle(depth, middle):
    found = depth_means(random_distance(depth, 0), 1)
    assert found.centres.tolist() == [middle]
    assert not found.labels.any()


def test_every_layer_its_own_cluster():
    found = depth_means(random_distance(7, 0), 7)
    assert found.centres.tolist() == found.labels.tolist() == list(range(7))


def test_the_centre_is_the_middle_of_depth_and_not_the_medoid():
    distance = np.ones((5, 5)) - np.eye(5)
    distance[0, :] = distance[:, 0] = 0.1  # layer 0 is the medoid of them all
    distance[0, 0] = 0
    assert depth_means(distance, 1).centres.tolist() == [2]


def test_identical_layers_leave_a_cluster_empty_which_keeps_its_centre():
    distance = np.zeros((4, 4))
    distance[:2, 2:] = distance[2:, :2] = 1.0
    found = depth_means(distance, 4)
    assert found.centres.tolist() == [0, 1, 2, 3]
    assert found.labels.tolist() == [0, 0, 2, 2]


def test_a_cycle_ends_in_the_visited_state_of_least_total_distance():
    cycling = [seed for seed in range(40) if depth_means(random_distance(12, seed), 3).cycled]
    assert cycling
    for seed in cycling:
        distance = random_distance(12, seed)
        found = depth_means(distance, 3)
        reached = distance[np.arange(12), found.centres[found.labels]].sum()
        first = distance[:, [0, 5, 11]].min(axis=1).sum()
        assert reached <= first
        assert reached == pytest.approx(distance[:, found.centres].min(axis=1).sum())
