from __future__ import annotations

import numpy as np
import pytest

from pursuhint.data import Split, load_data
from pursuhint.data.images import choose_images, content_id, hold_out, stratified_order
from pursuhint.errors import InputError

LABELS = np.repeat([0, 1, 2], [60, 30, 10])


@pytest.fixture
def split() -> Split:
    source = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1).repeat(3, axis=3)
    return Split(source, np.arange(100), LABELS)


def test_every_prefix_of_the_order_holds_the_classes_in_proportion():
    order = stratified_order(LABELS, seed=0)
    assert sorted(order) == list(range(100))
    for n in range(1, 101):
        counts = np.bincount(LABELS[order[:n]], minlength=3)
        np.testing.assert_allclose(counts, n * np.array([0.6, 0.3, 0.1]), atol=1.0)


def test_the_order_follows_the_seed():
    orders = [stratified_order(LABELS, seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


def test_holding_out_divides_without_loss(split: Split):
    kept, held = hold_out(split, 20)
    assert sorted([*kept.ids, *held.ids]) == list(range(100))
    assert np.bincount(held.labels).tolist() == [12, 6, 2]
    assert (np.diff(held.ids) > 0).all()


def test_images_follow_the_ids(split: Split):
    part = split.take(np.array([7, 3])).take(np.array([1]))
    assert part.ids.tolist() == [3]
    assert part.images().ravel().tolist() == [3, 3, 3]
    assert split.images(slice(98, None))[:, 0, 0, 0].tolist() == [98, 99]


def test_chosen_images_are_stratified_and_the_same_every_time(split: Split):
    chosen = choose_images(split, 10)
    assert np.bincount(chosen.labels).tolist() == [6, 3, 1]
    np.testing.assert_array_equal(chosen.ids, choose_images(split, 10).ids)
    np.testing.assert_array_equal(chosen.ids, choose_images(split, 20).ids[:10])
    assert len(set(chosen.ids)) == 10


def test_more_images_than_there_are_is_refused(split: Split):
    with pytest.raises(
        InputError, match="`limit` must be at most 100, the training images there are; found 101"
    ):
        choose_images(split, 101, option="limit")


def test_the_content_id_sees_bytes_shape_and_type():
    base = np.arange(12, dtype=np.uint8)
    others = [base[::-1], base.reshape(3, 4), base.astype(np.int8), base[:11]]
    ids = {content_id(array) for array in [base, *others]}
    assert len(ids) == 5
    assert content_id(base.copy()) == content_id(base)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("digit", "unknown data set `digit`: did you mean `digits`"),
        ("folder", "`folder` needs a path: write `folder:/path/to/images`"),
        ("folder:", "`folder` needs a path"),
        ("{tmp}", "is a folder: write `folder:{tmp}`"),
        ("folder:{tmp}/none", "no such folder: `.*none`; expected `.*none/train/<class>"),
    ],
)
def test_a_data_set_that_is_not_there_is_refused(tmp_path, spec: str, message: str):
    with pytest.raises(InputError, match=message.format(tmp=tmp_path)):
        load_data(spec.format(tmp=tmp_path))


def test_an_unknown_split_is_refused():
    with pytest.raises(InputError, match="unknown split `tets`: did you mean `test`"):
        load_data("digits").split("tets")
