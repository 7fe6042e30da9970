"""Moments: exact, whatever the chunks, the order of the layers or where the features lie; and their file."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pursuhint.errors import InputError, StorageError
from pursuhint.similarity import (
    METRICS,
    Moments,
    block_moments,
    matrix_from_moments,
    measure_moments,
    similarity_matrix,
    sweep,
)
from pursuhint.similarity.basis import measure_bases
from tests.similarity.second_routes import make_layers

MOMENTS = [name for name, metric in METRICS.items() if metric.family == "moments"]


@pytest.fixture(scope="module")
def layers() -> dict[str, np.ndarray]:
    return {"dead": np.full((300, 2), 3.0), **make_layers(300, [5, 12, 7, 20])}


@pytest.fixture(scope="module")
def moments(layers) -> Moments:
    return measure_moments(layers)


def test_a_basis_is_the_trimmed_svd_of_the_centred_features(layers):
    features = np.hstack([layers["layer1"], layers["layer1"][:, :3] * 2])
    for chunk in (None, 7, 64):
        basis = measure_bases({"layer": features}, chunk=chunk)["layer"]
        centred = features - features.mean(axis=0)
        left, singular_values, right = np.linalg.svd(centred, full_matrices=False)
        np.testing.assert_allclose(basis.mean, features.mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(basis.singular_values, singular_values[:12], rtol=1e-10)
        assert (basis.width, basis.rank) == (15, 12)
        signs = np.sign(np.sum(basis.directions * right[:12].T, axis=0))
        np.testing.assert_allclose(basis.directions * signs, right[:12].T, atol=1e-10)
        np.testing.assert_allclose(basis.coordinates(features) * signs, left[:, :12], atol=1e-9)


def test_a_large_mean_costs_no_digits():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2000, 4)) * [1, 2, 3, 4]
    expected = measure_bases({"layer": features})["layer"].singular_values
    for chunk in (None, 100):
        found = measure_bases({"layer": features + 1e5}, chunk=chunk)["layer"].singular_values
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_cross_products_are_those_of_the_coordinates(layers, moments):
    coordinates = []
    for name, basis in zip(moments.layers, moments.bases, strict=True):
        coordinates.append(basis.coordinates(layers[name]))
    side_by_side = np.hstack(coordinates)
    products = side_by_side.T @ side_by_side
    for block_rows, start in zip(np.split(products, moments.offsets[1:-1]), moments.offsets, strict=False):
        rows = slice(start, start + len(block_rows))
        np.testing.assert_allclose(moments.cross[rows, start:], block_rows[:, start:], atol=1e-13)
    norms, totals = moments.squared_norms()
    k = [np.square(layers[name] - layers[name].mean(axis=0)).sum(axis=1) for name in moments.layers]
    k = np.stack([one / one.sum() for one in k])
    np.testing.assert_allclose(norms, k @ k.T, atol=1e-14)
    np.testing.assert_allclose(totals, 1.0, atol=1e-12)


@pytest.mark.parametrize("metric", MOMENTS)
@pytest.mark.parametrize("chunk", [4, 33, 299])
def test_the_chunks_do_not_matter(metric, chunk, layers, moments):
    expected = matrix_from_moments(moments, metric=metric).values
    found = matrix_from_moments(measure_moments(layers, chunk=chunk), metric=metric).values
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
def test_the_order_of_the_layers_does_not_matter(metric, layers):
    expected = similarity_matrix(layers, metric=metric).values
    found = similarity_matrix(dict(reversed(layers.items())), metric=metric).values
    np.testing.assert_allclose(found[::-1, ::-1], expected, atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
def test_memory_maps_are_as_good_as_arrays(metric, layers, tmp_path):
    maps = {}
    for name, features in layers.items():
        np.save(tmp_path / f"{name}.npy", features)
        maps[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    expected = similarity_matrix(layers, metric=metric)
    found = similarity_matrix(maps, metric=metric)
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.notes == expected.notes


def test_no_more_than_a_chunk_is_read_at_a_time(layers):
    class Recorded(np.ndarray):
        longest = 0

        def __getitem__(self, rows):
            part = super().__getitem__(rows)
            Recorded.longest = max(Recorded.longest, len(part))
            return np.asarray(part)

    recorded = {name: features.view(Recorded) for name, features in layers.items()}
    measure_moments(recorded, chunk=50)
    assert Recorded.longest == 50


@pytest.mark.parametrize("metric", MOMENTS)
def test_a_matrix_from_moments_is_that_from_features(metric, layers, moments):
    expected = similarity_matrix(layers, metric=metric, pooling="cls")
    found = matrix_from_moments(moments, metric=metric, pooling="cls")
    assert vars(found) | {"values": 0} == vars(expected) | {"values": 0}
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.excluded == {"dead": found.notes["dead"].text}
    assert list(found.notes) == list(layers)


def test_metrics_of_distances_cannot_be_had_from_moments(moments):
    with pytest.raises(InputError, match=r"`rsa` is computed from distances .* choose one of r2_cca, cka"):
        matrix_from_moments(moments, metric="rsa")


def test_so_many_directions_that_they_fill_the_memory_are_refused(layers, monkeypatch):
    monkeypatch.setattr(sweep, "MOST_BYTES", 1000)
    message = r"cross-products of 4 layers with 44 directions would take 0.0 GB: at most .* fewer layers"
    with pytest.raises(InputError, match=message):
        measure_moments(layers)
    monkeypatch.setattr(block_moments, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match=message):
        block_moments.measure_blocks(layers, count=3)


def test_saved_moments_come_back_whole(moments, tmp_path):
    path = tmp_path / "deep" / "moments.npz"
    moments.save(path)
    again = Moments.load(path)
    assert (again.layers, again.widths, again.measured_on) == (moments.layers, moments.widths, 300)
    for metric in MOMENTS:
        expected = matrix_from_moments(moments, metric=metric).values
        np.testing.assert_array_equal(matrix_from_moments(again, metric=metric).values, expected)


def test_moments_in_which_nothing_varies_come_back(tmp_path):
    nothing = measure_moments({"dead": np.ones((10, 3))})
    nothing.save(tmp_path / "moments.npz")
    assert Moments.load(tmp_path / "moments.npz").widths == {"dead": 3}


def test_files_that_are_no_moments_are_refused(moments, tmp_path):
    path = tmp_path / "moments.npz"
    with pytest.raises(InputError, match=r"no such file: .*moments\.npz"):
        Moments.load(path)
    message = r"moments\.npz` must hold moments of features: "
    moments.save(path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    damaged = whole[:middle] + bytes(64) + whole[middle + 64 :]
    for content in (b"", b"hello", whole[:middle], whole[:-30], damaged):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            Moments.load(path)
    for settings in ("[]", "{}", "not json"):
        np.savez(path, settings=settings)
        with pytest.raises(InputError, match=message):
            Moments.load(path)
    shorter = replace(moments, sums=moments.sums[:-1, :-1])
    shorter.save(path)
    with pytest.raises(InputError, match=r"`sums` is \(48, 48\), not \(49, 49\)"):
        Moments.load(path)
    mean = replace(moments.bases[0], mean=np.zeros(4))
    replace(moments, bases=(mean, *moments.bases[1:])).save(path)
    with pytest.raises(InputError, match=r"43 values where 44 were expected"):
        Moments.load(path)


def test_sums_that_are_not_finite_are_refused(moments, tmp_path):
    path = tmp_path / "moments.npz"
    replace(moments, sums=np.where(np.eye(49), np.nan, moments.sums)).save(path)
    with pytest.raises(InputError, match=r"values that are not finite"):
        Moments.load(path)


def test_moments_of_a_later_format_are_refused(tmp_path):
    np.savez(tmp_path / "moments.npz", settings=json.dumps({"format": 2}))
    with pytest.raises(InputError, match="must have format 1: found 2; write it again with this version"):
        Moments.load(tmp_path / "moments.npz")


def test_a_folder_that_cannot_be_written_is_said(moments, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        moments.save(tmp_path / "file" / "moments.npz")
