from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from pursuhint.augment import POLICIES, augment, draws, epoch_order
from pursuhint.errors import InputError


def images(n: int = 6, side: int = 16) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).integers(0, 256, (n, side, side, 3), dtype=np.uint8))


def test_the_numbers_of_an_image_do_not_depend_on_its_company():
    ids = np.array([40, 3, 17])
    together = draws(5, 2, ids)
    for row, one in zip(together, ids, strict=True):
        np.testing.assert_array_equal(row, draws(5, 2, np.array([one]))[0])


def test_seed_epoch_and_image_each_change_the_numbers():
    base = draws(0, 0, np.array([1]))
    for other in (draws(1, 0, np.array([1])), draws(0, 1, np.array([1])), draws(0, 0, np.array([2]))):
        assert not np.isclose(base, other).any()


def test_the_numbers_are_uniform():
    values = draws(0, 0, np.arange(4000))
    assert values.min() >= 0
    assert values.max() < 1
    np.testing.assert_allclose(values.mean(axis=0), 0.5, atol=0.03)
    np.testing.assert_allclose(np.corrcoef(values.T), np.eye(8), atol=0.06)


def test_an_epoch_visits_every_image_once_in_an_order_of_its_own():
    orders = [epoch_order(0, epoch, 50) for epoch in range(3)]
    for order in orders:
        assert sorted(order) == list(range(50))
    assert not np.array_equal(orders[0], orders[1])
    np.testing.assert_array_equal(orders[1], epoch_order(0, 1, 50))


def test_the_order_is_not_the_stream_of_the_views():
    assert not np.array_equal(np.argsort(draws(0, 0, np.arange(50))[:, 0]), epoch_order(0, 0, 50))


@pytest.mark.parametrize("policy", POLICIES)
def test_the_view_of_an_image_does_not_depend_on_its_batch(policy: str):
    pixels, uniform = images(), draws(0, 0, np.arange(6))
    together = augment(pixels, uniform, policy)
    assert together.shape == pixels.shape
    assert together.dtype == torch.uint8
    alone = torch.cat([augment(pixels[i : i + 1], uniform[i : i + 1], policy) for i in range(6)])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("policy", ["crop-flip", "affine", "resized-crop"])
def test_another_epoch_shows_another_view(policy: str):
    pixels = images()
    first, second = (augment(pixels, draws(0, epoch, np.arange(6)), policy) for epoch in (0, 1))
    assert not torch.equal(first, second)


def test_none_changes_nothing():
    pixels = images()
    assert torch.equal(augment(pixels, draws(0, 0, np.arange(6)), "none"), pixels)


@pytest.mark.parametrize("shape", [(16, 16), (24, 16)])
def test_crop_flip_is_a_padded_crop_and_mirror(shape: tuple[int, int]):
    """By hand with numpy slices, image by image."""
    height, width = shape
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (20, height, width, 3), dtype=np.uint8)
    uniform = draws(0, 0, np.arange(20))
    found = augment(torch.from_numpy(pixels), uniform, "crop-flip").numpy()
    border = height // 8
    for image, view, numbers in zip(pixels, found, uniform, strict=True):
        top, left = (int(value * (2 * border + 1)) for value in numbers[:2])
        padded = np.pad(image, ((border, border), (border, border), (0, 0)))
        crop = padded[top : top + height, left : left + width]
        np.testing.assert_array_equal(view, crop[:, ::-1] if numbers[2] < 0.5 else crop)


def test_affine_at_its_middle_is_the_identity():
    pixels = images()
    assert torch.equal(augment(pixels, np.full((6, 8), 0.5), "affine"), pixels)


def test_affine_shifts_by_a_tenth_of_the_side():
    pixels = torch.zeros(1, 20, 20, 3, dtype=torch.uint8)
    pixels[0, 10, 10] = 255
    uniform = np.full((1, 8), 0.5)
    uniform[0, 4] = 1.0  # the grid moves right by 0.1 x 20 = 2 pixels, so the picture moves left
    moved = augment(pixels, uniform, "affine")
    assert moved[0, 10, 8].tolist() == [255] * 3


def test_affine_turns_by_ten_degrees_at_most():
    """A bright dot on the horizontal axis moves along its circle by the angle."""
    pixels = torch.zeros(1, 101, 101, 3, dtype=torch.uint8)
    pixels[0, 48:53, 88:93] = 255
    uniform = np.full((1, 8), 0.5)
    uniform[0, 0] = 1.0
    moved = augment(pixels, uniform, "affine")[0, :, :, 0].numpy() > 128
    y, x = (axis.mean() - 50 for axis in np.nonzero(moved))
    assert abs(np.degrees(np.arctan2(y, x))) == pytest.approx(10, abs=0.5)
    assert np.hypot(x, y) == pytest.approx(40, abs=0.5)


def test_an_unknown_policy_is_refused():
    with pytest.raises(InputError, match="unknown augmentation `afine`: did you mean `affine`"):
        augment(images(), draws(0, 0, np.arange(6)), "afine")


@pytest.mark.parametrize("shape", [(24, 24), (20, 24), (12, 40)])
def test_a_resized_crop_is_a_part_stretched_to_the_whole(shape: tuple[int, int]):
    """By hand, image by image: the box from the numbers, its pixels by scipy."""
    height, width = shape
    pixels = np.random.default_rng(0).integers(0, 256, (30, height, width, 3), dtype=np.uint8)
    uniform = draws(0, 0, np.arange(30))
    found = augment(torch.from_numpy(pixels), uniform, "resized-crop").numpy()
    for image, view, (size, form, across, down, mirror, *_) in zip(pixels, found, uniform, strict=True):
        area = 0.08 + 0.92 * size
        lowest, highest = max(3 / 4, area), min(4 / 3, 1 / area)
        ratio = lowest * (highest / lowest) ** form
        w, h = width * math.sqrt(area * ratio), height * math.sqrt(area / ratio)
        columns = (width - w) * across + (np.arange(width) + 0.5) * w / width - 0.5
        rows = (height - h) * down + (np.arange(height) + 0.5) * h / height - 0.5
        grid = np.meshgrid(rows, columns[::-1] if mirror < 0.5 else columns, indexing="ij")
        for channel in range(3):
            wanted = map_coordinates(image[..., channel].astype(float), grid, order=1, mode="nearest")
            np.testing.assert_allclose(view[..., channel], wanted, atol=0.6)


def test_resized_crops_have_the_published_areas_and_ratios():
    """The steps from pixel to pixel of a slope tell how much of it is seen."""
    side, n = 64, 400
    slope = np.arange(side, dtype=np.uint8) * 4
    pixels = np.stack(np.broadcast_arrays(slope, slope[:, None], np.uint8(0)), axis=-1)
    views = augment(
        torch.from_numpy(np.repeat(pixels[None], n, axis=0)), draws(0, 0, np.arange(n)), "resized-crop"
    )
    across = (views[:, 0, -8, 0].float() - views[:, 0, 8, 0].float()) / (4 * (side - 16))
    down = (views[:, -8, 0, 1].float() - views[:, 8, 0, 1].float()) / (4 * (side - 16))
    area, ratio = (across.abs() * down).numpy(), (across.abs() / down).numpy()
    assert (area.min(), area.max()) == pytest.approx((0.08, 1), abs=0.05)
    assert area.mean() == pytest.approx(0.54, abs=0.04)
    assert (ratio.min(), ratio.max()) == pytest.approx((3 / 4, 4 / 3), abs=0.1)
    assert (across < 0).float().mean() == pytest.approx(0.5, abs=0.08)
