"""What is said of a pair of layers, against matrices and intervals of all layers."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.analysis.cross import cross_matrix
from pursuhint.errors import InputError
from pursuhint.pair_facts import PairFacts, Reading, cross_pair_facts, pair_facts
from pursuhint.similarity import METRICS, similarity_matrix
from pursuhint.stability import jackknife, leave_one_out

PAIR = ("layer1.3", "layer3.2")


@pytest.fixture(scope="module")
def analysis(tmp_path_factory) -> AnalysisFolder:
    folder = tmp_path_factory.mktemp("pair") / "analysis"
    shutil.copytree(BUILTIN_ANALYSIS, folder)
    return AnalysisFolder.open(folder)


def test_a_pair_under_every_metric_is_what_the_matrices_hold(analysis):
    found = pair_facts(analysis, *PAIR, metric="r2_cca")
    assert [one.metric for one in (found.reading, *found.others)] == list(METRICS)
    for one in (found.reading, *found.others):
        matrix = analysis.similarity(one.metric)
        row, column = (matrix.layers.index(name) for name in PAIR)
        assert one.value == pytest.approx(matrix.values[row, column], abs=1e-9)
        assert one.floor == matrix.pair_note(*PAIR).floor


def test_without_kept_matrices_the_quick_metrics_are_there(analysis):
    found = pair_facts(analysis, *PAIR, metric="cka_linear", samples=400)
    quick = [name for name, one in METRICS.items() if one.family == "moments" and name != "cka_linear"]
    assert [one.metric for one in found.others] == quick
    direct = similarity_matrix({name: analysis.features(name)[:400] for name in PAIR}, metric="pwcca")
    (pwcca,) = [one.value for one in found.others if one.metric == "pwcca"]
    assert pwcca == pytest.approx(direct.values[0, 1], abs=1e-6)


def test_the_interval_is_the_jackknife_of_all_layers(analysis):
    found = pair_facts(analysis, *PAIR, metric="r2_cca")
    blocks = analysis.blocks()
    row, column = (blocks.layers.index(name) for name in PAIR)
    left_out = leave_one_out(blocks, "r2_cca")[:, row, column]
    expected = jackknife(blocks.values("r2_cca")[row, column], left_out, bounds=(0, 1)).interval
    assert found.reading.interval == pytest.approx(expected, abs=1e-5)


def test_standing_and_alternatives_follow_from_the_matrix(analysis):
    found = pair_facts(analysis, *PAIR, metric="r2_cca")
    matrix = analysis.similarity("r2_cca")
    pairs = matrix.values[np.triu_indices(27, k=1)]
    assert found.less_alike == pytest.approx(np.mean(pairs < found.reading.value))
    for name, alternatives in zip(PAIR, found.alternatives, strict=True):
        row = dict(zip(matrix.layers, matrix.values[matrix.layers.index(name)], strict=True))
        del row[name]
        assert [other for other, _ in alternatives] == sorted(row, key=row.get, reverse=True)[:3]


def test_a_sentence_says_how_alike_and_whether_it_can_be_chance():
    reading = Reading("r2_cca", 0.576, 0.064, (0.561, 0.591))
    facts = PairFacts(("a", "b"), reading, (), 0.5, ((), ()), "")
    assert facts.sentence == (
        "a and b are 0.576 alike by R²-CCA, more than 50 % of all pairs; "
        "unrelated layers would score about 0.064."
    )
    by_chance = PairFacts(("a", "b"), Reading("r2_cca", 0.1, 0.064), (), 0.01, ((), ()), "")
    assert by_chance.sentence.endswith("That can be chance: unrelated layers would score about 0.064.")
    itself = PairFacts(("a", "a"), Reading("r2_cca", 1.0, 0.064), (), None, ((), ()), "")
    assert itself.sentence == "a with itself: as alike as can be, 1.000 by R²-CCA."


def test_a_layer_with_itself_has_no_interval(analysis):
    found = pair_facts(analysis, "layer2.0", "layer2.0", metric="r2_cca")
    assert (found.reading.value, found.reading.interval, found.less_alike) == (1.0, None, None)


def test_what_is_no_layer_or_does_not_vary_is_refused(analysis, monkeypatch):
    with pytest.raises(InputError, match=r"unknown layer `layer9`"):
        pair_facts(analysis, "layer9", "layer1.0", metric="r2_cca")
    matrix = analysis.similarity("r2_cca")
    object.__setattr__(matrix, "excluded", {"layer1.0": "no feature varies"})
    monkeypatch.setattr(AnalysisFolder, "similarity", lambda *_, **__: matrix)
    with pytest.raises(
        InputError, match="`layer1.0` cannot be compared: no feature varies; choose another layer"
    ):
        pair_facts(analysis, "layer1.0", "layer1.1", metric="r2_cca")


def test_two_networks_are_compared_layer_by_layer(analysis, tmp_path):
    shutil.copytree(BUILTIN_ANALYSIS, tmp_path / "same")
    same = AnalysisFolder.open(tmp_path / "same")
    cross = cross_matrix(analysis, same, "r2_cca")
    across, within = (
        cross_pair_facts(analysis, same, cross, *PAIR),
        pair_facts(analysis, *PAIR, metric="r2_cca"),
    )
    assert across.reading.value == pytest.approx(within.reading.value, abs=1e-9)
    assert across.reading.interval == pytest.approx(within.reading.interval, abs=1e-5)
    known = {one.metric: one.value for one in within.others}
    for one in across.others:
        assert one.value == pytest.approx(known[one.metric], abs=1e-6)
    assert across.alternatives[0][0] == (PAIR[0], pytest.approx(1.0))
    with pytest.raises(InputError, match="unknown layer of the second network `layer9`"):
        cross_pair_facts(analysis, same, cross, "layer1.0", "layer9")
    with pytest.raises(InputError, match="unknown layer of the first network `layer9`"):
        cross_pair_facts(analysis, same, cross, "layer9", "layer1.0")
