"""One box for the maps of all layers, and what is packed for the browser."""

import base64

import numpy as np
import pytest

from pursuhint.errors import InputError
from pursuhint.image_view import image_view, sheet
from pursuhint.view import COLOURS

RNG = np.random.default_rng(0)
MAPS = [RNG.normal(size=(30, 2)) * scale + 3 for scale in (1, 5, 0.5)]
LABELS = np.arange(30) % 4


def view(classes=("a", "b", "c", "d")):
    return image_view(["x", "y", "z"], MAPS, LABELS, LABELS[::-1], classes)


def test_all_layers_share_one_scale_and_fill_the_box():
    positions = view().positions
    assert positions.min() >= 0 and positions.max() <= 1
    assert np.ptp(positions.reshape(-1, 2), axis=0).max() == pytest.approx(1)
    grown = [
        np.linalg.norm(new[1] - new[0]) / np.linalg.norm(old[1] - old[0])
        for new, old in zip(positions, MAPS, strict=True)
    ]
    np.testing.assert_allclose(grown, grown[0])


def test_what_is_packed_comes_back():
    plain = view().to_dict()
    places = np.frombuffer(base64.b64decode(plain["places"]), "<u2").reshape(3, 30, 2) / 65535
    np.testing.assert_allclose(places, view().positions, atol=1 / 65535)
    assert (plain["layers"], plain["labels"], plain["answers"]) == (
        ["x", "y", "z"],
        LABELS.tolist(),
        LABELS[::-1].tolist(),
    )


def test_more_classes_than_colours_have_none():
    assert view().colours == tuple(COLOURS.values())[:4]
    assert view([str(number) for number in range(11)]).colours == ()


def test_images_at_one_point_are_drawn_in_the_middle():
    flat = image_view(["x"], [np.full((3, 2), 7.0)], np.zeros(3), np.zeros(3), ["a"])
    np.testing.assert_array_equal(flat.positions, np.full((1, 3, 2), 0.5))


def test_maps_of_other_images_are_refused():
    with pytest.raises(InputError, match=r"3 layers need .* labels and answers: found 2 maps and the shapes"):
        image_view(["x", "y", "z"], MAPS[:2], LABELS, LABELS, "abcd")
    with pytest.raises(
        InputError, match=r"found 1 maps and the shapes \(29, 2\), \(30, 2\); take all of one"
    ):
        image_view(["x"], [MAPS[0][:29]], LABELS, LABELS, "abcd")


def test_every_picture_stands_in_its_place_of_the_sheet():
    images = RNG.integers(0, 255, size=(7, 4, 5, 3)).astype(np.uint8)
    whole = sheet(images)
    for number, image in enumerate(images):
        row, column = divmod(number, 3)
        np.testing.assert_array_equal(whole[4 * row : 4 * row + 4, 5 * column : 5 * column + 5], image)
    assert not whole[8:, 5:].any()
