"""A map over its image: where it is bright, and how large."""

import numpy as np

from pursuhint.figures.heat import COVER, SCALE, heat_over

GREY = np.full((8, 8, 3), 100, np.uint8)


def test_the_strongest_place_is_the_brightest_colour_and_the_still_one_the_darkest():
    activation = np.zeros((2, 2))
    activation[1, 1] = 5.0
    found = heat_over(GREY, activation)
    assert found.shape == (256, 256, 3) and found.dtype == np.uint8
    np.testing.assert_allclose(found[0, 0], COVER * SCALE[0] + (1 - COVER) * 100, atol=1)
    np.testing.assert_allclose(found[-1, -1], COVER * SCALE[-1] + (1 - COVER) * 100, atol=1)
    brightness = found.sum(axis=2)[np.arange(64, 192), np.arange(64, 192)].astype(int)
    assert (np.diff(brightness) >= -2).all()  # evenly brighter on the way


def test_the_image_shows_through_and_a_silent_layer_is_dark():
    image = GREY.copy()
    image[:, 4:] = 200
    found = heat_over(image, np.zeros((3, 3)))
    assert found[10, 200].astype(int).sum() > found[10, 10].astype(int).sum()
    np.testing.assert_allclose(found[10, 10], COVER * SCALE[0] + (1 - COVER) * 100, atol=1)


def test_a_large_image_that_is_not_square_keeps_its_size():
    assert heat_over(np.zeros((300, 200, 3), np.uint8), np.ones((7, 7))).shape == (300, 200, 3)
