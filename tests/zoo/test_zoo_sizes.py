"""What the table says about size is what torch counts in the network itself."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from pursuhint.zoo import ZOO, build_zoo, parse_zoo_name
from pursuhint.zoo.sizes import zoo_flops, zoo_parameters

ODD = ["resnet20?width=0.33&variant=b", "resnet8?width=0.05", "resnet14?width=1.3", "wrn_16_2?width=0.45"]


@pytest.mark.parametrize("name", [*ZOO, *ODD])
def test_the_table_counts_what_torch_counts(name: str):
    with torch.device("meta"):
        model = build_zoo(name, classes=7).eval()
        image = torch.zeros(1, 3, 20, 13)  # odd sides are halved upwards
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(image)
    parsed = parse_zoo_name(name)
    assert zoo_parameters(parsed, 7) == sum(one.numel() for one in model.parameters())
    assert zoo_flops(parsed, 7, (3, 20, 13)) == counter.get_total_flops()


def test_resnet20_by_hand():
    """He et al. (2016): 16, 32, 64 channels at 32, 16, 8 pixels; the convolutions and the head."""
    stem = 3 * 16 * 9 * 32**2
    first = 6 * 16 * 16 * 9 * 32**2
    second = (16 * 32 + 5 * 32 * 32) * 9 * 16**2
    third = (32 * 64 + 5 * 64 * 64) * 9 * 8**2
    products = stem + first + second + third + 64 * 10
    assert products == 40_551_040
    assert zoo_flops(parse_zoo_name("resnet20"), 10, (3, 32, 32)) == 2 * products
    shortcuts = 16 * 32 * 16**2 + 32 * 64 * 8**2
    variant_b = zoo_flops(parse_zoo_name("resnet20?variant=b"), 10, (3, 32, 32))
    assert variant_b == 2 * (products + shortcuts) == 2 * 40_813_184
