from __future__ import annotations

import pytest
import torch
from torch import nn

from pursuhint.adapters import describe_adapter
from pursuhint.errors import InputError
from pursuhint.losses.adapters import build_adapter, meet
from pursuhint.losses.fitnet import FitNet
from tests.losses.one_pair import fresh


@pytest.mark.parametrize("loss", ["fitnet", "vid"])
@pytest.mark.parametrize(
    ("guided", "hint", "kind"),
    [
        ((4, 8, 8), (6, 4, 4), nn.Conv2d),
        ((17, 5), (7, 4, 4), nn.Conv2d),
        ((7, 2, 2), (65, 5), nn.Conv2d),
        ((17, 5), (17, 9), nn.Linear),
        ((5,), (9,), nn.Linear),
        ((5, 3, 3), (9,), nn.Linear),
    ],
)
def test_the_adapted_features_have_the_shape_of_the_hint(loss: str, guided, hint, kind: type):
    description = describe_adapter(guided, hint, loss)
    network = build_adapter(guided, hint, loss)
    adapted = network(meet(torch.randn(3, *guided), description, "s"))
    assert adapted.shape == meet(torch.randn(3, *hint), description, "t").shape
    assert isinstance(network[0], kind)


def test_maps_and_tokens_of_the_same_places_meet_alike():
    """A map and its tokens, with a class token in front, are the same once they meet."""
    maps = torch.randn(2, 6, 4, 4)
    tokens = torch.cat([torch.randn(2, 1, 6), maps.flatten(2).transpose(1, 2)], dim=1)
    description = describe_adapter((17, 6), (6, 2, 2), "fitnet")
    met = meet(tokens, description, "s")
    torch.testing.assert_close(met, meet(maps, description, "s"))
    torch.testing.assert_close(met, maps.reshape(2, 6, 2, 2, 2, 2).mean(dim=(3, 5)))


def test_half_precision_meets_in_float32():
    for shape in ((4, 8, 8), (17, 5), (5,)):
        description = describe_adapter(shape, shape, "fitnet")
        assert meet(torch.randn(2, *shape).half(), description, "s").dtype == torch.float32


def test_one_number_a_channel_cannot_be_normalised():
    message = (
        "the regressor of the pair `t->s` normalises over images and positions and needs at least 2 of them"
    )
    for shape in ((4,), (4, 1, 1)):
        with pytest.raises(InputError, match=message):
            fresh(FitNet, torch.randn(1, *shape), torch.randn(1, *shape))
