from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder, AnalysisSettings
from pursuhint.data import load_data
from pursuhint.errors import InputError
from pursuhint.similarity import SimilarityMatrix, similarity_matrix
from tests.tiny import TEACHER

LAYERS = ["layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0", "layer3.1"]


@pytest.fixture
def copy(tiny_analysis, tmp_path: Path) -> AnalysisFolder:
    """A copy that may be written to."""
    shutil.copytree(tiny_analysis.path, tmp_path / "copy", ignore=shutil.ignore_patterns("matrices"))
    return AnalysisFolder.open(tmp_path / "copy")


def test_the_card_says_what_it_is_of(tiny_analysis, tiny_teacher):
    card = tiny_analysis.card
    assert card.teacher == tiny_teacher.ref
    assert card.parameters == tiny_teacher.parameters
    assert (card.data, card.data_id) == ("digits", load_data("digits").id)
    assert (card.input_shape, card.pooling, card.samples) == ((3, 8, 8), "mean", 200)
    assert [layer.name for layer in tiny_analysis.layers] == LAYERS
    assert card.seen_accuracy > 0.8
    assert set(card.versions) == {"pursuhint", "torch", "torchvision", "numpy"}


def test_probe_labels_and_predictions_belong_to_the_ids(tiny_analysis):
    probe, data = tiny_analysis.probe, load_data("digits")
    assert len(probe["ids"]) == 200
    assert set(probe["ids"]) <= set(data.train.ids)
    rows = np.searchsorted(data.train.ids, probe["ids"])
    np.testing.assert_array_equal(probe["labels"], data.train.labels[rows])
    assert (probe["predictions"] == probe["labels"]).mean() == pytest.approx(tiny_analysis.card.seen_accuracy)
    np.testing.assert_array_equal(tiny_analysis.thumbnails, data.train.images(rows))


def test_score_and_students_are_there(tiny_analysis, tiny_run):
    assert tiny_analysis.test_score["n"] == 500
    assert tiny_analysis.test_score["accuracy"] == tiny_run.summary()["metrics"]["test_accuracy"]
    sizes = [card.parameters for card in tiny_analysis.students]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < tiny_analysis.card.parameters
    assert tiny_analysis.last_state()["state"] == "finished"
    last = tiny_analysis.progress().stages[-1]
    assert (last.name, last.done, last.total) == ("test", 500, 500)


def test_features_have_a_row_an_image_and_a_column_a_channel(tiny_analysis):
    for layer in tiny_analysis.layers:
        features = tiny_analysis.features(layer.name)
        assert features.shape == (200, layer.shape[0])
        assert isinstance(features, np.memmap)


def test_a_matrix_is_computed_once_and_kept(copy: AnalysisFolder, monkeypatch: pytest.MonkeyPatch):
    expected = similarity_matrix({n: copy.features(n) for n in LAYERS}, metric="cka_linear")
    first = copy.similarity("cka_linear")
    np.testing.assert_array_equal(first.values, expected.values)
    assert SimilarityMatrix.load(copy.path / "matrices" / "cka_linear.npz").layers == tuple(LAYERS)
    monkeypatch.setattr(AnalysisFolder, "features", lambda *_: pytest.fail("computed twice"))
    np.testing.assert_array_equal(copy.similarity("cka_linear").values, first.values)


def test_a_matrix_need_not_be_kept(copy: AnalysisFolder):
    copy.similarity("cka_linear", keep=False)
    assert not (copy.path / "matrices").exists()


def test_layer_maps_come_back(copy: AnalysisFolder):
    positions = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    of_all, of_some = copy.similarity("cka_linear"), copy.similarity("cka_linear", samples=40)
    assert copy.layer_map(of_all) is None
    copy.save_layer_map(of_all, positions)
    assert (copy.path / "layer-maps" / "cka_linear.npy").is_file()  # as before maps of some images were kept
    assert copy.layer_map(of_some) is None
    copy.save_layer_map(of_some, positions[::-1])
    np.testing.assert_array_equal(copy.layer_map(of_all), positions)
    np.testing.assert_array_equal(copy.layer_map(of_some), positions[::-1])


def test_a_layer_map_of_another_number_of_layers_is_none(copy: AnalysisFolder):
    similarity = copy.similarity("cka_linear")
    copy.save_layer_map(similarity, np.zeros((5, 2)))
    assert copy.layer_map(similarity) is None


def test_an_unknown_layer_is_refused(tiny_analysis):
    with pytest.raises(InputError, match="unknown layer `layer2.9`: did you mean `layer2"):
        tiny_analysis.features("layer2.9")


def test_an_unknown_metric_is_refused(tiny_analysis):
    with pytest.raises(InputError, match="unknown metric `cka_liner`: did you mean `cka_linear`"):
        tiny_analysis.similarity("cka_liner")


def test_a_folder_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"holds no analysis; make one with `pursuhint analyse`"):
        AnalysisFolder.open(tmp_path)


def test_a_failed_analysis_says_why(tmp_path: Path):
    folder = AnalysisFolder(tmp_path)
    folder.set_state("failed", reason="the teacher is weak")
    with pytest.raises(InputError, match=r"holds no analysis: the teacher is weak; make one with"):
        AnalysisFolder.open(tmp_path)


@pytest.mark.parametrize("change", [{"format": 0}, {"new": 1}, {"samples": None}])
def test_a_card_of_another_version_is_refused(copy: AnalysisFolder, change: dict):
    path = copy.path / "analysis.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=r"was written by another version: .*; analyse the teacher again"):
        AnalysisFolder.open(copy.path)


def test_the_key_follows_what_is_analysed(tmp_path: Path):
    weights = tmp_path / "w.pt"
    weights.write_bytes(b"1")
    base = AnalysisSettings(teacher=TEACHER, weights=str(weights))
    assert base.key() == base.model_copy(update={"device": "cpu", "threads": 3}).key()
    others = [{"teacher": "zoo:x"}, {"data": "fake"}, {"samples": 9}, {"preprocess": "cifar10"}, {"depth": 1}]
    keys = {base.key()} | {base.model_copy(update=change).key() for change in others}
    assert len(keys) == 6
    before = base.key()
    os.utime(weights, ns=(5, 5))
    assert base.key() != before


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pooling": "men"}, "unknown pooling `men`: did you mean `mean`"),
        ({"samples": 3}, "`samples` must be at least 4; found 3"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(fields: dict, message: str):
    with pytest.raises(InputError, match=message):
        AnalysisSettings(**fields).check()


def test_the_built_in_analysis_is_whole_and_of_the_built_in_teacher():
    folder = AnalysisFolder.open(BUILTIN_ANALYSIS)
    assert len(folder.layers) == 27
    assert folder.card.teacher.spec == "builtin:digits-resnet56"
    assert folder.card.data_id == load_data("digits").id
    assert folder.features("layer3.8").shape == (folder.card.samples, folder.layers[-1].shape[0])
    assert folder.test_score["accuracy"] >= 0.99
    assert folder.similarity("r2_cca", keep=False).values.shape == (27, 27)


def test_similarities_without_each_block_are_kept_and_made_again_when_damaged(copy):
    assert copy.kept_left_out("cka_linear", samples=160) is None
    found = copy.left_out("cka_linear", samples=160)
    others = [image for image in range(160) if image % len(found)]  # a block holds every B-th image
    without = {name: copy.features(name)[others] for name in LAYERS}
    np.testing.assert_allclose(found[0], similarity_matrix(without, metric="cka_linear").values, atol=1e-6)
    np.testing.assert_array_equal(copy.kept_left_out("cka_linear", samples=160), found)
    copy.left_out_file("cka_linear", samples=160).write_bytes(b"no")
    assert copy.kept_left_out("cka_linear", samples=160) is None
    np.testing.assert_array_equal(copy.left_out("cka_linear", samples=160), found)
