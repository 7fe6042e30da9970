from __future__ import annotations

import numpy as np
import pytest
import torch

from pursuhint.data import Split, load_data
from pursuhint.data.images import choose_images
from pursuhint.errors import InputError
from pursuhint.preprocess import KNOWN, parse_preprocess
from pursuhint.training.batches import Batches


def batches(
    batch_size: int = 16, seed: int = 0, augmentation: str = "affine", limit: int = 100, **cut: int
) -> Batches:
    return Batches(
        choose_images(load_data("digits").train, limit),
        KNOWN["digits"],
        augmentation=augmentation,
        batch_size=batch_size,
        seed=seed,
        device=torch.device("cpu"),
        **cut,
    )


def views(made: Batches, epoch: int) -> dict[int, torch.Tensor]:
    return {int(i): image for b in made.epoch(epoch) for i, image in zip(b.ids, b.images, strict=True)}


def test_an_image_looks_the_same_whatever_the_batch_and_the_other_images():
    first, second = views(batches(20), 3), views(batches(50), 3)
    assert first.keys() == second.keys()
    assert len(first) == 100
    assert all(torch.equal(image, second[i]) for i, image in first.items())
    fewer = views(batches(10, limit=50), 3)
    assert fewer.keys() < first.keys()
    assert all(torch.equal(image, first[i]) for i, image in fewer.items())


@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 4}])
def test_seed_and_epoch_change_every_view(change: dict):
    base = views(batches(20), 3)
    other = views(batches(20, seed=change.get("seed", 0)), change.get("epoch", 3))
    same = [torch.equal(base[i], other[i]) for i in base]
    assert not any(same)


def test_starting_inside_an_epoch_gives_its_rest():
    made = batches()
    whole = list(made.epoch(1))
    rest = list(made.epoch(1, first=4))
    assert (len(whole), len(rest)) == (6, 2) == (made.steps, made.steps - 4)
    for expected, found in zip(whole[4:], rest, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


def test_labels_and_pixels_belong_to_the_ids():
    data = load_data("digits")
    for batch in batches(augmentation="none").epoch(0):
        rows = np.searchsorted(data.train.ids, batch.ids.numpy())
        np.testing.assert_array_equal(data.train.ids[rows], batch.ids)
        np.testing.assert_array_equal(data.train.labels[rows], batch.labels)
        torch.testing.assert_close(batch.images, KNOWN["digits"].apply(data.train.images(rows)))


def test_no_image_comes_twice_in_an_epoch():
    ids = torch.cat([batch.ids for batch in batches().epoch(0)])
    assert len(ids) == len(set(ids.tolist())) == 96


def test_a_batch_that_cannot_be_cut_evenly_is_refused():
    message = r"`batch_size` must be a multiple of 6 \(2 parts for each of 3 processes\); found 16"
    with pytest.raises(InputError, match=message):
        batches(16, accumulate=2, processes=3)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(
        InputError, match="`batch_size` must be at most 100, the number of training images; found"
    ):
        batches(101)


def test_a_resized_crop_of_everything_shows_the_margin_that_scoring_cuts_off(monkeypatch):
    monkeypatch.setattr("pursuhint.training.batches.draws", lambda seed, view, ids: np.ones((8, 8)))
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    split = Split(pixels, np.arange(8), np.zeros(8, np.int64))
    preprocess = parse_preprocess("imagenet/20/16")
    fields = {"batch_size": 8, "seed": 0, "device": torch.device("cpu")}
    (batch,) = Batches(split, preprocess, augmentation="resized-crop", **fields).epoch(0)
    whole = parse_preprocess("imagenet/16").apply(pixels)
    assert batch.images.shape == (8, 3, 16, 16)
    assert torch.equal(batch.images, whole[batch.ids])
    assert not torch.allclose(whole, preprocess.apply(pixels), atol=0.1)
