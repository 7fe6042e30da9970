"""What is refused, noted and kept around the values."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pursuhint.errors import InputError, PursuhintError
from pursuhint.similarity import METRICS, SimilarityMatrix, cross_similarity, similarity_matrix
from tests.similarity.second_routes import SECOND_ROUTES, make_layers

RNG = np.random.default_rng(11)


def features(samples: int = 200, width: int = 6) -> np.ndarray:
    return RNG.normal(size=(samples, width))


@pytest.fixture
def similarity() -> SimilarityMatrix:
    layers = {"stem": features(), "dead": np.full((200, 3), 2.5), "layer1.0": features(width=8)}
    return similarity_matrix(layers, metric="r2_cca", pooling="cls token")


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown metric `cka_liner`: did you mean `cka_linear`\?"):
        similarity_matrix({"a": features(), "b": features()}, metric="cka_liner")


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            RNG.normal(size=(200, 3, 2)),
            r"`b` must be numbers of the shape \(images, features\): found float64 \(200, 3, 2\)",
        ),
        (np.empty((200, 0)), r"`b` must be numbers .* found float64 \(200, 0\)"),
        (np.full((200, 2), "x"), r"`b` must be numbers .* found <U1 \(200, 2\)"),
        (features(199), r"every layer must see the same images: `b` has 199, the first layer 200"),
        (
            np.where(np.eye(200, 6), np.nan, 1.0),
            r"`b` must be finite: found 6 of 1200 values NaN or infinite",
        ),
        (np.where(np.eye(200, 6), -np.inf, 1.0), r"`b` must be finite"),
    ],
)
def test_features_that_cannot_be_used_are_named(layer, message):
    with pytest.raises(InputError, match=message):
        similarity_matrix({"a": features(), "b": layer}, metric="cka_linear")


@pytest.mark.parametrize("metric", METRICS)
def test_fewer_than_two_layers_that_vary_are_refused(metric):
    with pytest.raises(InputError, match=r"at least 2 layers .* found 1 \(constant: `dead`\)"):
        similarity_matrix({"a": features(), "dead": np.ones((200, 4))}, metric=metric)
    with pytest.raises(InputError, match=r"at least 2 layers .* found 0 \(constant: none\)"):
        similarity_matrix({}, metric=metric)


@pytest.mark.parametrize("metric", ["r2_cca", "svcca", "pwcca", "linear_regression"])
def test_correlations_are_refused_where_counting_dimensions_forces_them_up(metric):
    layers = {"a": features(72, 5), "b": features(72, 40), "c": features(72, 32)}
    message = r"at least 73 images to compare `b` \(rank 40\) and `c` \(rank 32\): found 72; take 400 or more"
    with pytest.raises(InputError, match=message):
        similarity_matrix(layers, metric=metric)
    enough = {name: features(73, layer.shape[1]) for name, layer in layers.items()}
    assert similarity_matrix(enough, metric=metric).values[1, 2] < 1


def test_r2_cca_of_more_features_than_images_is_refused():
    with pytest.raises(InputError, match=r"`b` \(rank 49\)"):
        similarity_matrix({"a": features(50, 2), "b": features(50, 90)}, metric="r2_cca")


def test_notes_say_how_far_a_layer_can_be_trusted():
    spare = features(400, 4)
    layers = {
        "ok": features(400, 4),
        "constant": np.full((400, 3), 0.1),
        "few": features(400, 80),
        "deficient": np.hstack([spare, spare @ RNG.normal(size=(4, 2))]),
    }
    notes = similarity_matrix(layers, metric="r2_cca").notes
    assert {name: note.status for name, note in notes.items()} == {
        "ok": "ok",
        "constant": "constant",
        "few": "few samples",
        "deficient": "rank-deficient",
    }
    assert [note.effective_rank for note in notes.values()] == [4, 0, 80, 4]
    assert notes["few"].samples_per_feature == 5.0
    assert notes["few"].text == (
        "5 images per feature: unrelated layers this wide score about 0.20; take 800 images or more"
    )
    assert notes["deficient"].text == (
        "4 of 6 directions vary, the others are dead or dependent and do not count"
    )


def test_few_images_are_not_mistaken_for_dead_channels():
    layers = {"wide": features(30, 100), "narrow": features(30, 4)}
    note = similarity_matrix(layers, metric="cka_linear").notes["wide"]
    assert (note.status, note.effective_rank) == ("few samples", 29)
    assert "directions" not in note.text


@pytest.mark.parametrize("metric", METRICS)
def test_few_images_are_noted_exactly_where_the_metric_says(metric):
    wide = similarity_matrix({"a": features(300, 40), "b": features(300, 40)}, metric=metric).notes["a"]
    assert (wide.status == "few samples") == (METRICS[metric].images_per_feature > 7.5)
    if wide.status == "few samples":
        floor = METRICS[metric].floor(40, 40, 300)
        said = f"7.5 images per feature: unrelated layers this wide score about {floor:.2f};"
        assert wide.text.startswith(said)


def test_a_pair_is_as_doubtful_as_its_worse_layer():
    spare = features(400, 4)
    layers = {
        "ok": features(400, 4),
        "few": features(400, 80),
        "deficient": np.hstack([spare, spare]),
        "dead": np.ones((400, 2)),
    }
    similarity = similarity_matrix(layers, metric="r2_cca")
    pair = similarity.pair_note("few", "deficient")
    assert (pair.status, pair.floor) == ("few samples", 80 / 400)
    assert pair.text == (
        "unrelated layers of ranks 80 and 4 score about 0.2 on 400 images; "
        f"`few`: {similarity.notes['few'].text}; `deficient`: {similarity.notes['deficient'].text}"
    )
    assert similarity.pair_note("deficient", "ok").status == "rank-deficient"
    assert similarity.pair_note("ok", "ok").status == "ok"
    dead = similarity.pair_note("dead", "ok")
    assert (dead.status, dead.floor) == ("constant", None)
    assert dead.text == "not compared: nothing varies in `dead`"
    with pytest.raises(InputError, match="unknown layer `feww`: did you mean `few`"):
        similarity.pair_note("ok", "feww")
    with pytest.raises(InputError, match="unknown metric `gone`"):
        replace(similarity, metric="gone").pair_note("ok", "few")


def test_debiased_cka_has_no_floor():
    layers = {"a": features(300, 80), "b": features(300, 80)}
    pair = similarity_matrix(layers, metric="cka_linear_debiased").pair_note("a", "b")
    assert (pair.status, pair.floor, pair.text) == ("ok", None, "unrelated layers score 0 on average")


@pytest.mark.parametrize("metric", METRICS)
def test_two_networks_are_compared_layer_by_layer(metric):
    layers = make_layers(200, [5, 12, 7])
    teacher = {name: layers[name] for name in ("layer0", "layer1")}
    student = {"layer0": layers["layer2"]}
    values = cross_similarity(teacher, student, metric=metric)
    expected = [[SECOND_ROUTES[metric](X, Y) for Y in student.values()] for X in teacher.values()]
    np.testing.assert_allclose(values, expected, atol=1e-10)


def test_two_networks_with_a_dead_layer_are_not_compared():
    with pytest.raises(InputError, match=r"must vary over the 200 images: `head \(second\)` do not"):
        cross_similarity({"a": features()}, {"b": features(), "head": np.ones((200, 2))}, metric="cka_linear")


def test_constant_layers_are_left_out_with_the_reason(similarity):
    assert similarity.layers == ("stem", "layer1.0")
    assert similarity.values.shape == (2, 2)
    assert list(similarity.notes) == ["stem", "dead", "layer1.0"]
    assert similarity.excluded == {
        "dead": "no feature varies over 200 images; left out of the matrix and of the clusters"
    }


def test_inputs_are_left_alone_and_float32_is_enough():
    layers = {"a": features().astype(np.float32), "b": features().astype(np.float32)}
    before = {name: layer.copy() for name, layer in layers.items()}
    values = similarity_matrix(layers, metric="r2_cca").values
    assert all(np.array_equal(layers[name], before[name]) for name in layers)
    wide = {name: layer.astype(np.float64) for name, layer in layers.items()}
    np.testing.assert_array_equal(values, similarity_matrix(wide, metric="r2_cca").values)


def test_distance_is_one_minus_similarity_without_rounding_below_zero(similarity):
    beyond = replace(similarity, values=np.array([[1.0, 1.0 + 1e-12], [1.0 + 1e-12, 1.0]]))
    np.testing.assert_array_equal(beyond.distance(), np.zeros((2, 2)))
    np.testing.assert_allclose(similarity.distance(), 1 - similarity.values, atol=1e-15)


def test_values_must_fit_the_layers(similarity):
    with pytest.raises(InputError, match=r"square with one row a layer: found \(2, 3\) for 2 layers"):
        replace(similarity, values=np.ones((2, 3)))


def test_a_saved_matrix_comes_back_whole(similarity, tmp_path):
    path = tmp_path / "deep" / "matrix.npz"
    similarity.save(path)
    again = SimilarityMatrix.load(path)
    np.testing.assert_array_equal(again.values, similarity.values)
    assert vars(again) | {"values": None} == vars(similarity) | {"values": None}
    with np.load(path, allow_pickle=False) as arrays:
        assert set(arrays) == {"similarity", "layers", "settings"}
        assert arrays["layers"].tolist() == ["stem", "layer1.0"]
        assert json.loads(str(arrays["settings"]))["pooling"] == "cls token"


def test_files_that_are_no_matrix_are_refused(similarity, tmp_path):
    path = tmp_path / "matrix.npz"
    with pytest.raises(InputError, match=r"no such file: .*matrix\.npz"):
        SimilarityMatrix.load(path)
    message = r"matrix\.npz` must (be|hold) a similarity matrix written by `pursuhint similarity`"
    similarity.save(path)
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            SimilarityMatrix.load(path)
    for arrays in (
        {"similarity": np.eye(2)},
        {"settings": "[]"},
        {"settings": "{}"},
        {"settings": '{"format": 1}'},
    ):
        np.savez(path, **arrays)
        with pytest.raises(InputError, match=message):
            SimilarityMatrix.load(path)
    np.savez(path, similarity=np.eye(1), layers=np.array([object()]), settings='{"format": 1, "notes": {}}')
    with pytest.raises(InputError, match=message):
        SimilarityMatrix.load(path)
    np.save(path.with_suffix(".npy"), np.eye(2))
    with pytest.raises(InputError, match=r"must (be|hold) a similarity matrix"):
        SimilarityMatrix.load(path.with_suffix(".npy"))


def test_a_matrix_of_a_later_format_is_refused(tmp_path):
    path = tmp_path / "matrix.npz"
    np.savez(path, settings='{"format": 2}')
    with pytest.raises(InputError, match="must have format 1: found 2; write it again with this version"):
        SimilarityMatrix.load(path)


def test_a_folder_that_cannot_be_written_is_said(similarity, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PursuhintError, match="cannot write"):
        similarity.save(tmp_path / "file" / "matrix.npz")
