from __future__ import annotations

import numpy as np
import pytest
import torch

from pursuhint.analysis.pooling import POOLINGS, pooling_named
from pursuhint.errors import InputError


def pool(name: str, output: torch.Tensor, **more) -> np.ndarray:
    return pooling_named(name).rows(output, layer="block", **more).numpy()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((2, 3, 4, 5), (2, 3)), ((2, 7, 3), (2, 3)), ((2, 3), (2, 3))],
    ids=["maps", "tokens", "rows"],
)
def test_mean_averages_positions_and_keeps_channels(shape: tuple[int, ...], expected: tuple[int, int]):
    output = torch.randn(shape, dtype=torch.float64)
    pooled = pool("mean", output)
    assert pooled.shape == expected
    assert pooled.dtype == np.float32
    rows = output.numpy()
    rows = rows.mean(axis=(2, 3)) if rows.ndim == 4 else rows.mean(axis=1) if rows.ndim == 3 else rows
    np.testing.assert_allclose(pooled, rows, atol=1e-6)


@pytest.mark.parametrize(("name", "side"), [("grid2", 2), ("grid4", 4)])
def test_a_grid_averages_its_cells(name: str, side: int):
    maps = torch.randn(2, 3, 8, 8)
    cell = 8 // side
    expected = maps.numpy().reshape(2, 3, side, cell, side, cell).mean(axis=(3, 5)).reshape(2, -1)
    np.testing.assert_allclose(pool(name, maps), expected, atol=1e-6)


def test_a_map_smaller_than_the_grid_stays_whole():
    maps = torch.randn(2, 3, 2, 2)
    np.testing.assert_array_equal(pool("grid4", maps), maps.flatten(1))


def test_a_grid_of_tokens_leaves_out_the_class_token():
    maps = torch.randn(2, 3, 4, 4)
    tokens = torch.cat([torch.randn(2, 1, 3), maps.flatten(2).transpose(1, 2)], dim=1)
    np.testing.assert_allclose(pool("grid2", tokens, prefix=1), pool("grid2", maps), atol=1e-6)


def test_flatten_keeps_everything_in_an_order_that_a_gram_matrix_does_not_see():
    maps = torch.randn(4, 3, 5, 6)
    rows = pool("flatten", maps)
    assert rows.shape == (4, 90)
    np.testing.assert_allclose(rows @ rows.T, maps.flatten(1) @ maps.flatten(1).T, rtol=1e-5, atol=1e-4)


def test_flatten_does_not_copy_channels_last_maps():
    maps = torch.randn(4, 3, 5, 6).to(memory_format=torch.channels_last)
    pooled = pooling_named("flatten").rows(maps, layer="block")
    assert pooled.data_ptr() == maps.data_ptr()


def test_tokens_and_class_token():
    tokens = torch.randn(2, 5, 3)
    np.testing.assert_array_equal(pool("cls", tokens, prefix=1), tokens[:, 0])
    np.testing.assert_allclose(pool("token_mean", tokens, prefix=2), tokens[:, 2:].mean(dim=1), atol=1e-6)
    np.testing.assert_allclose(pool("token_mean", tokens), pool("mean", tokens), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "shape", "wanted"),
    [
        ("cls", (2, 3, 4, 4), "a class token"),
        ("cls", (2, 5, 3), "a class token"),
        ("token_mean", (2, 3), "tokens"),
    ],
)
def test_a_pooling_that_does_not_fit_names_the_layer(name: str, shape: tuple[int, ...], wanted: str):
    with pytest.raises(InputError, match=f"`{name}` needs {wanted}: layer `block` puts out the shape"):
        pool(name, torch.zeros(shape))


def test_an_unknown_pooling_is_refused():
    with pytest.raises(InputError, match="unknown pooling `meen`: did you mean `mean`"):
        pooling_named("meen")


def test_every_pooling_says_its_name():
    assert all(pooling.name == name for name, pooling in POOLINGS.items())
