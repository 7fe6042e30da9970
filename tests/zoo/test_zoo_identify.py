"""Recognising a zoo network by the shapes of its weights."""

import pytest
import torch

from pursuhint.zoo import ZOO, build_zoo
from pursuhint.zoo.identify import identify


@pytest.mark.parametrize(
    "name",
    [
        *ZOO,
        "resnet20?variant=b",
        "resnet8x4?variant=a",
        "resnet56?width=0.625",
        "resnet8?variant=b&width=4",
        "wrn_16_1?width=2",
        "resnet110?width=0.015625",
    ],
)
def test_every_network_is_recognised_whatever_its_head(name: str) -> None:
    weights = build_zoo(name, classes=17).state_dict()
    renamed = {key.replace("linear.", "fc."): tensor for key, tensor in weights.items()}
    assert identify(weights) == identify(renamed) == name


def test_batch_counters_play_no_part() -> None:
    weights = build_zoo("resnet8", classes=10).state_dict()
    assert identify({k: t for k, t in weights.items() if "num_batches" not in k}) == "resnet8"


def test_the_callers_random_numbers_are_not_touched() -> None:
    weights = build_zoo("resnet8", classes=10).state_dict()
    before = torch.get_rng_state()
    identify(weights)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stranger_is_not_recognised() -> None:
    weights = build_zoo("resnet8", classes=10).state_dict()
    assert identify({**weights, "extra": torch.zeros(1)}) is None
    assert identify({**weights, "conv1.weight": torch.zeros(17, 3, 3, 3)}) is None
    assert identify({}) is None
