from __future__ import annotations

import pytest
import torch
from torch import nn

from pursuhint.errors import InputError
from pursuhint.students import card, describe_student


def test_a_vision_transformer_counts_its_attention():
    """ViT-B/16 has 17.56 G multiply-adds (torchvision's own figure), 0.7 of them in its attention."""
    found = describe_student("torchvision:vit_b_16", 1000, (3, 224, 224))
    assert found.parameters == 86_567_656
    assert round(found.flops / 2e9, 2) == 17.56


class OnRealDevicesOnly(nn.Module):
    """Looks at a value, which the meta device has not."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2)), nn.Linear(4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert float(x.sum()) == 0
        return self.head(self.body(x).mean(dim=(2, 3)))


def test_a_network_that_needs_a_real_device_gets_one(monkeypatch):
    monkeypatch.setattr(card, "new_network", lambda *_, **__: ("zoo:resnet8", OnRealDevicesOnly()))
    found = describe_student.__wrapped__("zoo:resnet8", 10, (3, 8, 8))
    assert found.flops == 2 * (3 * 4 * 9 * 36 + 40)


def test_images_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"the network refuses images of shape \(3, 8, 8\)"):
        describe_student("torchvision:vit_b_16", 10, (3, 8, 8))
